// Values that lost to others written without seeing them: those that wait, and those that were settled.

import { Button } from '../../ui/button';
import { Segments } from '../../ui/fields';
import { Tag } from '../../ui/words';
import { get } from '../api';
import { conflictHref } from '../conflicts';
import { deviceName, useDeviceNames, type DeviceNames } from '../device_names';
import { useLoad } from '../load';
import { collTitle, fieldTitle } from '../names';
import { valueText } from '../op_text';
import { PageHead } from '../parts/header';
import { Pick } from '../parts/pick';
import { ScopeName } from '../parts/scope_fields';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { RecordName } from '../parts/values';
import { changeQuery, go, placeText, type Place } from '../router';
import { searchScopes, useScopeTitle } from '../scopes';
import type { ConflictRow, ConflictsReply } from '../types';
import { t } from '../words';

const PAGE_ROWS = 50;

function columns(names: DeviceNames): Column<ConflictRow>[] {
  const by = (device: string) => <span class="small quiet">{deviceName(names, device)}</span>;
  return [
    { name: 'record', title: t('conflict.record'), grows: true, cell: (row) => <span class="two"><RecordName record={row} /><span class="small quiet">{collTitle(row.coll)} · <ScopeName id={row.scope} /></span></span> },
    { name: 'field', title: t('diff.field'), cell: ({ coll, field }) => fieldTitle(coll, field) },
    { name: 'lost', title: t('conflict.lost'), cell: ({ coll, field, value, by: who }) => <span class="two"><span class="cut">{valueText(coll, field, value)}</span>{by(who)}</span> },
    { name: 'winner', title: t('conflict.shown'), cell: ({ coll, field, winner, kind }) => (winner === undefined
      ? <span class="quiet">{t(kind === 'deleted' ? 'conflict.gone' : 'op.nothing')}</span>
      : <span class="two"><span class="cut">{valueText(coll, field, winner.value)}</span>{by(winner.by)}</span>) },
    { name: 'kind', title: t('conflict.kind'), cell: ({ kind }) => <Tag>{t(`kind.${kind}`)}</Tag> },
    { name: 'stamp', title: t('conflict.written'), cell: ({ stamp }) => <When ms={stamp} /> },
  ];
}

export function ConflictsPage({ query }: Place) {
  const scope = query.get('scope') ?? '';
  const settled = query.get('settled') ?? '';
  const after = query.get('after') ?? '';
  const title = useScopeTitle(scope);
  const names = useDeviceNames();
  const { data, error, loading, reload } = useLoad(`${scope} ${settled} ${after}`, (signal) => get<ConflictsReply>('/v1/conflicts', { scope, settled, after, limit: PAGE_ROWS }, signal));
  return (
    <>
      <PageHead title={t('conflicts.title')} about={t('conflicts.about')} />
      <div class="filters" role="search">
        <Segments label={t('device.state')} value={settled} choices={[['', t('conflict.open')], ['1', t('conflict.settled')]]} onChange={(next) => changeQuery({ settled: next, after: '' })} />
        <div class="scope-filter"><Pick label={t('conflicts.scope')} placeholder={t('conflicts.scope')} search={searchScopes} shown={scope === '' ? '' : title} onPick={({ id }) => changeQuery({ scope: id, after: '' })} /></div>
        {scope !== '' && <Button kind="bare" onClick={() => changeQuery({ scope: '', after: '' })}>{t('do.clear')}</Button>}
      </div>
      <DataTable
        label={t('conflicts.title')}
        columns={columns(names)}
        rows={data?.conflicts ?? null}
        keyOf={conflictHref}
        hrefOf={conflictHref}
        loading={loading}
        error={error}
        onRetry={reload}
        empty={{ icon: settled === '' ? 'check' : 'note', title: t(settled === '' ? 'conflicts.none' : 'conflicts.none_settled'), about: settled === '' ? t('conflicts.none_more') : undefined }}
      />
      {data !== null && <Turns after={after} next={data.next} onGo={(next) => go(placeText('conflicts', [], { scope, settled, after: next }))} />}
    </>
  );
}

/** Pages of a list that has no numbers: on, and back to the first. */
export function Turns({ after, next, onGo }: { after: string; next: string | null | undefined; onGo: (after: string) => void }) {
  const more = typeof next === 'string' && next !== '';
  if (!more && after === '') return null;
  return (
    <nav class="row ends" aria-label={t('table.pages')}>
      {after !== '' && <Button onClick={() => onGo('')}>{t('table.first')}</Button>}
      {more && <Button onClick={() => onGo(next)}>{t('table.later')}</Button>}
    </nav>
  );
}
