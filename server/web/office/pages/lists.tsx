// The records of one collection: columns and filters by its schema, sorted and paged by the server. All that
// is chosen stands in the address.

import { Button } from '../../ui/button';
import { Banner, Tag } from '../../ui/words';
import { ApiError, inTurn } from '../api';
import { timeOfSeq } from '../edits';
import { canSort, dayField, filledColumns, firstSort, hasOwnScope, headTitle, isFiltered, otherFilters, PAGE_ROWS, readList, selectFields } from '../lists';
import { useLoad } from '../load';
import { choicesOf, collections, collTitle, fieldOf, fieldTitle, infoOf, isMoment } from '../names';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { Pick } from '../parts/pick';
import { ScopeName } from '../parts/scope_fields';
import { TypedSearch } from '../parts/search';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { RecordName, recordHref, Value } from '../parts/values';
import { changeQuery, placeText, type Place } from '../router';
import { searchScopes, useScopeTitle } from '../scopes';
import type { ListReply, RecordRow } from '../types';
import { t, type OfficeKey } from '../words';

const COUNTS_AT_ONCE = 2;
/** On a narrow screen. */
const MAIN_COLUMNS = 4;
/** Those that are spoken of in the plural. */
const HEADINGS: Readonly<Record<string, OfficeKey>> = { event: 'lists.events', station: 'lists.stations', volunteer: 'lists.people' };

export function ListPage({ parts, query }: Place) {
  const [coll] = parts;
  if (coll === undefined) return <CollectionsPage />;
  return <OneList key={coll} coll={coll} query={query} />;
}

/** All collections, also those that are looked up once a month. */
function CollectionsPage() {
  return (
    <>
      <PageHead title={t('lists.records')} about={t('lists.records_about')} />
      <ul class="tiles">
        {collections.map((coll) => (
          <li key={coll}>
            <a class="card tile" href={placeText('lists', [coll])}>
              <strong>{collTitle(coll)}</strong>
              <Count coll={coll} />
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

const oneOfFew = inTurn(COUNTS_AT_ONCE);

function Count({ coll }: { coll: string }) {
  const { data, error } = useLoad(coll, (signal) => oneOfFew(() => readList(coll, new URLSearchParams({ sort: 'id' }), signal, 1)));
  if (data === null) return <span class="small quiet">{error === null || error.status === 503 ? '…' : t('lists.no_count')}</span>;
  return <span class="small quiet num">{t('lists.total', { n: data.total })}</span>;
}

/** Where each record has a scope of its own, that says nothing new. */
function hasOwnScopes(rows: readonly RecordRow[]): boolean {
  return rows.every(hasOwnScope);
}

function columns(coll: string, rows: readonly RecordRow[]): Column<RecordRow>[] {
  const fields = filledColumns(coll, rows);
  const cell = (field: string, lead: boolean) => ({ id, scope, fields: has, conflicts, deleted }: RecordRow) => {
    if (lead && (deleted === true || has?.[field] === undefined)) return <RecordName record={{ scope, coll, id }} fields={has ?? {}} />;
    const value = <Value short coll={coll} field={field} value={has?.[field]} scope={scope} />;
    return lead && conflicts !== undefined ? <>{value} <Tag tone="wait">{t('conflict.n', { n: conflicts })}</Tag></> : value;
  };
  return [
    ...fields.map((field, i): Column<RecordRow> => ({
      name: field,
      title: headTitle(coll, field),
      sorts: canSort(coll, field),
      end: isNumber(coll, field),
      grows: i === 0,
      minor: i > MAIN_COLUMNS,
      cell: cell(field, i === 0),
    })),
    ...(hasOwnScopes(rows) ? [] : [{ name: 'scope', title: t('access.scope'), sorts: true, cell: ({ scope }: RecordRow) => <span class="cut"><ScopeName id={scope} /></span> } as Column<RecordRow>]),
    { name: 'seq', title: t('lists.changed'), sorts: true, minor: true, cell: ({ seq }) => <span class="quiet"><When ms={timeOfSeq(seq)} /></span> },
  ];
}

function isNumber(coll: string, field: string): boolean {
  const info = fieldOf(coll, field);
  return (info?.type === 'integer' || info?.type === 'number') && info.merge !== 'quota' && !isMoment(coll, field);
}

function emptyWords(coll: string, filtered: boolean) {
  return { icon: 'note' as const, title: filtered ? t('lists.none_found') : t('lists.none', { coll: collTitle(coll) }), about: t(filtered ? 'devices.none_found_more' : 'lists.none_more') };
}

function OneList({ coll, query }: { coll: string; query: URLSearchParams }) {
  const sort = query.get('sort') ?? firstSort(coll);
  const { data, error, loading, reload } = useLoad(`${coll} ${query.toString()}`, (signal) => readList(coll, query, signal));
  const warming = error?.code === 'list.warming';
  const filtered = isFiltered(query);
  return (
    <>
      <PageHead title={HEADINGS[coll] === undefined ? collTitle(coll) : t(HEADINGS[coll])} about={data === null ? undefined : <Counts data={data} filtered={filtered} />} within={{ title: t('lists.records'), href: placeText('lists') }}
                actions={coll === 'volunteer' && <a class="button" href={placeText('duplicates')}>{t('duplicates.title')}</a>} />
      {(filtered || data?.total !== 0) && <Filters coll={coll} query={query} filtered={filtered} />}
      {warming && <Warming error={error} />}
      {!(warming && data === null) && (
        <div class="list-table"><DataTable
          label={collTitle(coll)}
          columns={columns(coll, data?.rows ?? [])}
          rows={data?.rows ?? null}
          keyOf={({ scope, id }) => `${scope} ${id}`}
          hrefOf={({ scope, id }) => recordHref({ scope, coll, id })}
          sort={sort}
          onSort={(next) => changeQuery({ sort: next, offset: '' })}
          loading={loading}
          error={warming ? null : error}
          onRetry={reload}
          empty={emptyWords(coll, filtered)}
          paging={{ offset: data?.offset ?? 0, limit: PAGE_ROWS, matching: data?.matching ?? 0, onOffset: (next) => turnTo(next) }}
        /></div>
      )}
    </>
  );
}

/** A page turned is a step that "back" takes back. */
function turnTo(offset: number): void {
  history.pushState(null, '', location.hash);
  changeQuery({ offset: offset === 0 ? '' : offset });
}

function Counts({ data, filtered }: { data: ListReply; filtered: boolean }) {
  return <span class="num" aria-live="polite">{filtered ? t('lists.matching', { n: data.matching, total: data.total }) : t('lists.total', { n: data.total })}</span>;
}

/** The server reads a list once after its start. */
function Warming({ error }: { error: ApiError }) {
  const done = typeof error.problem.done === 'number' ? error.problem.done : 0;
  return (
    <Banner tone="plain" icon="clock" title={t('lists.warming')}>
      {t('lists.warming_more')}
      <progress value={done} max={1} aria-label={t('lists.warming')}>{Math.round(done * 100)} %</progress>
    </Banner>
  );
}

function Filters({ coll, query, filtered }: { coll: string; query: URLSearchParams; filtered: boolean }) {
  const day = dayField(coll);
  const change = (changes: Record<string, string>) => changeQuery({ ...changes, offset: '' });
  const clear = () => change(Object.fromEntries([...query.keys()].filter((key) => key !== 'sort').map((key) => [key, ''])));
  return (
    <div class="filters" role="search">
      <TypedSearch label={t('lists.search')} value={query.get('q') ?? ''} onInput={(q) => change({ q })} />
      {selectFields(coll).map((field) => <ChoiceFilter key={field} coll={coll} field={field} value={query.get(field) ?? ''} onChange={(value) => change({ [field]: value })} />)}
      {day !== null && <Days coll={coll} field={day} query={query} onChange={change} />}
      <ScopeFilter query={query} onChange={change} />
      {infoOf(coll)?.deletable === true && (
        <SelectField bare label={t('lists.deleted')} value={query.get('deleted') ?? ''} choices={[['', t('lists.live')], ['1', t('lists.deleted')]]} onChange={(deleted) => change({ deleted })} />
      )}
      {otherFilters(coll, query).map(([key, value]) => (
        <span key={key} class="filter-chip">
          <span class="quiet">{headTitle(coll, key.split('.')[0] as string)}</span> <Value short coll={coll} field={key} value={value} scope={query.get('scope') ?? ''} />
          <Button kind="bare" icon="close" label={t('scope.remove', { name: fieldTitle(coll, key) })} onClick={() => change({ [key]: '' })} />
        </span>
      ))}
      {filtered && <Button kind="bare" onClick={clear}>{t('do.clear')}</Button>}
    </div>
  );
}

function ChoiceFilter({ coll, field, value, onChange }: { coll: string; field: string; value: string; onChange: (value: string) => void }) {
  const title = headTitle(coll, field);
  const choices = fieldOf(coll, field)?.type === 'boolean' ? [['true', t('op.yes')], ['false', t('op.no')]] as [string, string][] : choicesOf(coll, field);
  return <SelectField bare label={title} value={value} choices={[['', t('lists.any', { field: title })], ...choices]} onChange={onChange} />;
}

function Days({ coll, field, query, onChange }: { coll: string; field: string; query: URLSearchParams; onChange: (changes: Record<string, string>) => void }) {
  const title = headTitle(coll, field);
  const end = (name: 'from' | 'to') => (
    <input type="date" class="input" aria-label={t(name === 'from' ? 'lists.from' : 'lists.to', { field: title })} title={t(name === 'from' ? 'lists.from' : 'lists.to', { field: title })}
           value={query.get(`${field}.${name}`) ?? ''} onChange={(event) => onChange({ [`${field}.${name}`]: event.currentTarget.value })} />
  );
  return <span class="days">{end('from')}<span class="quiet">–</span>{end('to')}</span>;
}

function ScopeFilter({ query, onChange }: { query: URLSearchParams; onChange: (changes: Record<string, string>) => void }) {
  const scope = query.get('under') ?? query.get('scope') ?? '';
  const title = useScopeTitle(scope);
  return (
    <div class="scope-filter">
      <Pick label={t('lists.under')} placeholder={t('lists.under')} search={searchScopes} shown={scope === '' ? '' : title} onPick={({ id }) => onChange({ under: id, scope: '' })} />
    </div>
  );
}
