// One record: what stands in it, what became of it, what belongs to it, and the ways to change it.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Fields, RecordKey } from '../../sdk/types';
import { Button } from '../../ui/button';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { ApiError, explain } from '../api';
import { editableFields } from '../drafts';
import { handIn, isChanged, timeOfSeq } from '../edits';
import { OfficeIcon } from '../icons';
import { hasOwnScope } from '../lists';
import { useLoad } from '../load';
import { collTitle, fieldTitle, infoOf } from '../names';
import { ConfirmDialog } from '../parts/dialog';
import { PageHead } from '../parts/header';
import { History } from '../parts/history';
import { RecordConflicts } from '../parts/record_conflicts';
import { Photos, Related } from '../parts/related';
import { ScopeName } from '../parts/scope_fields';
import { Behind, Waiting } from '../parts/table';
import { When } from '../parts/time';
import { RecordLink, recordHref, Value } from '../parts/values';
import { forgetNames, readRecord, useRecordName } from '../record_names';
import { go, placeText } from '../router';
import { isAdministrator } from '../session';
import type { EraseReply, RecordRow } from '../types';
import { t } from '../words';
import { CorrectDialog } from './correct';
import { EditCard } from './edit';
import { EraseDialog, EraseReport } from './erase';

const AGAIN_MS = 15_000;

type Asked = 'edit' | 'delete' | 'correct' | 'erase';

export function RecordPage({ record }: { record: RecordKey }) {
  const { coll, id } = record;
  const { data, error, reload, setData } = useLoad(`${record.scope} ${coll} ${id}`, async (signal) => {
    const row = await readRecord(record, signal);
    if (row === null) throw new ApiError('http.not_found', 404, id);
    return row;
  }, { everyMs: AGAIN_MS });
  const name = useRecordName(record, data?.fields ?? {});
  const within = { title: collTitle(coll), href: placeText('lists', [coll]) };
  if (data === null) {
    return (
      <>
        <PageHead title={id} within={within} />
        {error === null ? <Waiting /> : <Banner tone="bad" title={explain(error)} actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      </>
    );
  }
  return <Whole row={data} name={name} within={within} behind={<Behind error={error} onRetry={reload} />} onChanged={() => {
    forgetNames();
    reload();
  }} onRow={(row) => setData(() => row)} />;
}

interface WholeProps {
  row: RecordRow;
  name: string;
  within: { title: string; href: string };
  behind: VNode;
  onChanged: () => void;
  onRow: (row: RecordRow) => void;
}

function Whole({ row, name, within, behind, onChanged, onRow }: WholeProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [report, setReport] = useState<EraseReply | null>(null);
  const close = () => setAsked(null);
  const gone = row.deleted === true;
  return (
    <>
      <PageHead
        title={name}
        within={within}
        about={<>{gone && <Tag tone="bad">{t('record.deleted')}</Tag>} {!hasOwnScope(row) && <><ScopeName id={row.scope} /> · </>}<span class="code">{row.id}</span> · {t('lists.changed')} <When ms={timeOfSeq(row.seq)} /></>}
        actions={asked !== 'edit' && <Actions row={row} onAsk={setAsked} />}
      />
      {behind}
      {report !== null && <EraseReport report={report} />}
      <div class="columns">
        <div class="stack">
          {asked === 'edit'
            ? <EditCard row={row} onClose={close} onRow={onRow} onSaved={() => {
                close();
                onChanged();
                toast(t('record.saved'));
              }} />
            : <FieldsCard row={row} />}
          <Photos record={row} />
          <Related record={row} />
        </div>
        <div class="stack">
          {row.conflicts !== undefined && <RecordConflicts record={row} seq={row.seq} />}
          <History record={row} seq={row.seq} />
        </div>
      </div>
      {asked === 'delete' && <DeleteDialog row={row} name={name} onClose={close} onDone={onChanged} />}
      {asked === 'correct' && <CorrectDialog row={row} onClose={close} onDone={(made) => go(recordHref(made))} />}
      {asked === 'erase' && <EraseDialog id={row.id} name={name} onClose={close} onDone={(told) => {
        setReport(told);
        onChanged();
      }} />}
    </>
  );
}

function Actions({ row, onAsk }: { row: RecordRow; onAsk: (asked: Asked) => void }) {
  const info = infoOf(row.coll);
  const gone = row.deleted === true;
  return (
    <>
      {row.coll === 'volunteer' && !gone && <a class="button" href={placeText('duplicates', [row.scope, row.id])}>{t('merge.title')}</a>}
      {row.coll === 'volunteer' && isAdministrator() && <Button onClick={() => onAsk('erase')}>{t('erase.do')}</Button>}
      {info?.deletable === true && !gone && <Button onClick={() => onAsk('delete')}>{t('record.delete')}</Button>}
      {info?.facts === true && !info.derived && <Button onClick={() => onAsk('correct')}>{t('correct.do')}</Button>}
      {canEdit(row) && (
        <button type="button" class="button primary" onClick={() => onAsk('edit')}><OfficeIcon name="note" small /><span>{t(gone ? 'record.bring_back' : info?.facts === true ? 'record.annotate' : 'record.edit')}</span></button>
      )}
    </>
  );
}

function canEdit({ coll }: RecordRow): boolean {
  return editableFields(coll).length > 0;
}

function FieldsCard({ row }: { row: RecordRow }) {
  const fields: Fields = row.fields ?? {};
  const info = infoOf(row.coll);
  const known = Object.keys(info?.fields ?? {});
  const names = [...known, ...Object.keys(fields).filter((name) => !known.includes(name))];
  const isEmpty = (name: string) => fields[name] === undefined || fields[name] === null || (Array.isArray(fields[name]) && fields[name].length === 0);
  // That it was merged is said below.
  const told = names.filter((name) => info?.fields[name]?.redirect !== true);
  const filled = told.filter((name) => !isEmpty(name));
  const empty = told.filter(isEmpty);
  return (
    <section class="card" aria-label={t('record.fields')}>
      <h2>{t('record.fields')}</h2>
      {row.deleted === true && <p class="quiet">{t('record.deleted_more')}</p>}
      <dl class="facts start">
        {filled.map((name) => (
          <>
            <dt>{fieldTitle(row.coll, name)}</dt>
            <dd><Value coll={row.coll} field={name} value={fields[name]} scope={row.scope} /></dd>
          </>
        ))}
      </dl>
      {row.deleted !== true && empty.length > 0 && <p class="small quiet">{t('record.empty', { fields: empty.map((name) => fieldTitle(row.coll, name)).join(t('op.and')) })}</p>}
      <MergedInto row={row} />
    </section>
  );
}

function MergedInto({ row }: { row: RecordRow }) {
  const redirect = Object.entries(infoOf(row.coll)?.fields ?? {}).find(([, field]) => field.redirect === true)?.[0];
  const into = redirect === undefined ? undefined : row.fields?.[redirect];
  if (typeof into !== 'string' || into === '') return null;
  return (
    <Banner tone="plain" title={t('merge.merged')} actions={<a class="button" href={placeText('duplicates', [row.scope, row.id], { other: into })}>{t('merge.look')}</a>}>
      <RecordLink record={{ scope: row.scope, coll: row.coll, id: into }} />
    </Banner>
  );
}

function DeleteDialog({ row, name, onClose, onDone }: { row: RecordRow; name: string; onClose: () => void; onDone: () => void }) {
  const [changed, setChanged] = useState(false);
  const [seq, setSeq] = useState(row.seq);
  return (
    <ConfirmDialog title={t('record.delete_ask', { name })} act={t('record.delete')} danger onClose={onClose} onDo={async () => {
      const { scope, coll, id } = row;
      try {
        await handIn([{ scope, coll, id, if_seq: seq, del: true }]);
      } catch (error) {
        if (!isChanged(error)) throw error;
        const now = await readRecord(row);
        setSeq(now?.seq ?? 0);
        setChanged(true);
        throw error;
      }
      toast(t('record.deleted_done'));
      onDone();
    }}>
      <p>{t('record.delete_more')}</p>
      {changed && <Banner tone="wait" title={t('changed.title')}>{t('record.delete_changed')}</Banner>}
    </ConfirmDialog>
  );
}
