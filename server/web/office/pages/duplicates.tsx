// People who may be one: the server's candidates, and two side by side, of whom one stays.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Segments } from '../../ui/fields';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { ApiError, explain, get } from '../api';
import { mergedFrom, mergeEdits, mergeExpects, readTwo, redirectOf, sayEdits, undoEdits, type Two } from '../duplicates';
import { handIn, isChanged, timeOfSeq, type Edit, type Expected } from '../edits';
import { text } from '../field_text';
import { PAGE_ROWS, readList } from '../lists';
import { useLoad } from '../load';
import { fieldTitle, infoOf } from '../names';
import { valueText } from '../op_text';
import { useDoing, Wrong } from '../parts/dialog';
import { PageHead } from '../parts/header';
import { Pick, type Choice } from '../parts/pick';
import { ScopeName } from '../parts/scope_fields';
import { Behind, DataTable, Waiting, type Column } from '../parts/table';
import { When } from '../parts/time';
import { RecordName, recordHref, Value } from '../parts/values';
import { forgetNames, ownName } from '../record_names';
import { changeQuery, placeText, type Place } from '../router';
import type { ListReply, RecordRow } from '../types';
import { t } from '../words';

const COLL = 'volunteer';

export function DuplicatesPage({ query }: Place) {
  const state = query.get('state') ?? 'open';
  const offset = Number(query.get('offset') ?? 0);
  const asked = new URLSearchParams({ sort: '-seq', offset: String(offset), ...(state !== 'all' && { state }) });
  const { data, error, loading, reload } = useLoad(asked.toString(), (signal) => readList('duplicate', asked, signal));
  const name = (field: 'first' | 'second') => ({ scope, fields }: RecordRow) => <RecordName record={{ scope, coll: text(fields, 'coll') || COLL, id: text(fields, field) }} />;
  const columns: Column<RecordRow>[] = [
    { name: 'first', title: t('merge.one'), grows: true, cell: name('first') },
    { name: 'second', title: t('merge.other'), cell: name('second') },
    { name: 'why', title: fieldTitle('duplicate', 'why'), cell: ({ fields }) => text(fields, 'why').split(',').map((field) => fieldTitle(text(fields, 'coll'), field.trim())).join(t('op.and')) },
    { name: 'scope', title: t('access.scope'), cell: ({ scope }) => <span class="cut"><ScopeName id={scope} /></span> },
    { name: 'seq', title: t('lists.changed'), cell: ({ seq }) => <When ms={timeOfSeq(seq)} /> },
    { name: 'state', title: t('device.state'), cell: ({ fields }) => <Tag tone={text(fields, 'state') === 'open' ? 'wait' : 'plain'}>{valueText('duplicate', 'state', fields?.state)}</Tag> },
  ];
  return (
    <>
      <PageHead title={t('duplicates.title')} about={t('duplicates.about')} />
      <div class="filters" role="search">
        <Segments label={t('device.state')} value={state} choices={[...(['open', 'merged', 'distinct'] as const).map((one) => [one, valueText('duplicate', 'state', one)] as const), ['all', t('refused_state.all')] as const]}
                  onChange={(next) => changeQuery({ state: next === 'open' ? '' : next, offset: '' })} />
      </div>
      <DataTable
        label={t('duplicates.title')}
        columns={columns}
        rows={data?.rows ?? null}
        keyOf={({ scope, id }) => `${scope} ${id}`}
        hrefOf={({ scope, fields }) => placeText('duplicates', [scope, text(fields, 'first')], { other: text(fields, 'second') })}
        loading={loading}
        error={error?.code === 'list.warming' ? null : error}
        onRetry={reload}
        empty={{ icon: 'check', title: t(state === 'open' ? 'duplicates.none' : 'lists.none_found'), about: state === 'open' ? t('duplicates.none_more') : undefined }}
        paging={{ offset, limit: PAGE_ROWS, matching: data?.matching ?? 0, onOffset: (next) => changeQuery({ offset: next === 0 ? '' : next }) }}
      />
    </>
  );
}

/** `other`: with whom; where nobody is named yet, it is asked. */
export function TwoPage({ scope, one, other }: { scope: string; one: string; other: string }) {
  const within = { title: t('duplicates.title'), href: placeText('duplicates') };
  if (other === '') return <ChooseOther scope={scope} one={one} within={within} />;
  return <Loaded key={other} scope={scope} one={one} other={other} within={within} />;
}

function ChooseOther({ scope, one, within }: { scope: string; one: string; within: { title: string; href: string } }) {
  const search = async (q: string, signal: AbortSignal): Promise<Choice[]> => {
    const { rows } = await get<ListReply>(`/v1/lists/${COLL}`, { q, scope, sort: 'name', limit: 20 }, signal);
    return rows.filter(({ id }) => id !== one).map(({ id, fields }) => ({ id, title: ownName(fields) || id }));
  };
  return (
    <>
      <PageHead title={t('merge.title')} within={within} about={<RecordName record={{ scope, coll: COLL, id: one }} />} />
      <section class="card choose-other">
        <Pick label={t('merge.with')} hint={t('merge.with_hint')} placeholder={t('lists.search')} search={search} onPick={({ id }) => changeQuery({ other: id })} />
      </section>
    </>
  );
}

function Loaded({ scope, one, other, within }: { scope: string; one: string; other: string; within: { title: string; href: string } }) {
  const { data, error, reload } = useLoad(`${scope} ${one} ${other}`, async (signal) => {
    const two = await readTwo(scope, COLL, one, other, signal);
    if (two === null) throw new ApiError('http.not_found', 404, '');
    return two;
  }, { everyMs: 15_000 });
  if (data === null) {
    return (
      <>
        <PageHead title={t('merge.title')} within={within} />
        {error === null ? <Waiting /> : <Banner tone="bad" title={explain(error)} actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      </>
    );
  }
  return <SideBySide two={data} within={within} behind={<Behind error={error} onRetry={reload} />} onAgain={reload} />;
}

function SideBySide({ two, within, behind, onAgain }: { two: Two; within: { title: string; href: string }; behind: VNode; onAgain: () => void }) {
  const { one, other, candidate } = two;
  const from = mergedFrom(two);
  const [stays, setStays] = useState(from === null ? (one.id < other.id ? one.id : other.id) : from.id === one.id ? other.id : one.id);
  const [changed, setChanged] = useState(false);
  const { busy, error, run } = useDoing();
  const act = (edits: Edit[], words: string, expect: Expected[] = []) => run(async () => {
    try {
      await handIn(edits, expect);
      setChanged(false);
      toast(words);
    } catch (fault) {
      if (!isChanged(fault)) throw fault;
      setChanged(true);
    }
    forgetNames();
    onAgain();
  });
  const state = text(candidate?.fields, 'state');
  return (
    <>
      <PageHead title={t('merge.title')} within={within} about={<><ScopeName id={one.scope} /> {candidate !== null && <Tag tone={state === 'open' ? 'wait' : 'plain'}>{valueText('duplicate', 'state', state)}</Tag>}</>} />
      <div class="banners">
        {behind}
        {changed && <Banner tone="wait" spoken title={t('changed.title')}>{t('merge.changed_more')}</Banner>}
        {from !== null && <Banner tone="good" title={t('merge.is_merged')} actions={<Button busy={busy} onClick={() => act(undoEdits(two), t('merge.undone'))}>{t('merge.undo')}</Button>}>{t('merge.is_merged_more')}</Banner>}
        {from === null && state === 'distinct' && <Banner tone="plain" title={t('merge.are_two')} actions={<Button busy={busy} onClick={() => act(sayEdits(two, 'open'), t('merge.open_again'))}>{t('merge.reopen')}</Button>} />}
      </div>
      <Compare two={two} stays={stays} onStays={from === null ? setStays : null} />
      <Wrong text={error} />
      {from === null && (
        <section class="card">
          <p>{t('merge.more')}</p>
          <div class="row">
            <Button kind="primary" busy={busy} onClick={() => act(mergeEdits(two, stays), t('merge.done'), mergeExpects(two, stays))}>{t('merge.do')}</Button>
            {candidate !== null && state !== 'distinct' && <Button busy={busy} onClick={() => act(sayEdits(two, 'distinct'), t('merge.said_two'))}>{t('merge.distinct')}</Button>}
          </div>
        </section>
      )}
    </>
  );
}

function Compare({ two: { one, other }, stays, onStays }: { two: Two; stays: string; onStays: ((id: string) => void) | null }) {
  const redirect = redirectOf(one.coll);
  const names = Object.keys(infoOf(one.coll)?.fields ?? {}).filter((name) => name !== redirect);
  const differs = (name: string) => JSON.stringify(one.fields?.[name] ?? null) !== JSON.stringify(other.fields?.[name] ?? null);
  const head = (row: RecordRow) => (
    <th scope="col" class={row.id === stays ? 'stays' : undefined}>
      <a href={recordHref(row)}>{ownName(row.fields) || row.id}</a> <span class="small quiet code">{row.id}</span>
      {onStays === null
        ? <p>{row.id === stays ? <Tag tone="good" icon="check">{t('merge.stays')}</Tag> : <Tag>{t('merge.leads')}</Tag>}</p>
        : <label class="radio row"><input type="radio" name="stays" checked={row.id === stays} onChange={() => onStays(row.id)} /> <span>{t('merge.stays')}</span></label>}
    </th>
  );
  return (
    <div class="scrolls">
      <table class="compare" aria-label={t('merge.title')}>
        <thead><tr><th scope="col">{t('diff.field')}</th>{head(one)}{head(other)}</tr></thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} class={differs(name) ? 'differs' : undefined}>
              <th scope="row">{fieldTitle(one.coll, name)}</th>
              <td><Value coll={one.coll} field={name} value={one.fields?.[name]} scope={one.scope} /></td>
              <td><Value coll={other.coll} field={name} value={other.fields?.[name]} scope={other.scope} /></td>
            </tr>
          ))}
          <tr>
            <th scope="row">{t('merge.attended')}</th>
            <td><Attended row={one} /></td>
            <td><Attended row={other} /></td>
          </tr>
          <tr>
            <th scope="row">{t('lists.changed')}</th>
            <td><When ms={timeOfSeq(one.seq)} /></td>
            <td><When ms={timeOfSeq(other.seq)} /></td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function Attended({ row }: { row: RecordRow }) {
  const { data } = useLoad(row.id, (signal) => readList('attendance', new URLSearchParams({ volunteer: row.id }), signal, 1));
  if (data === null) return <span class="quiet">…</span>;
  return <a class="num" href={placeText('lists', ['attendance'], { volunteer: row.id })}>{data.matching}</a>;
}
