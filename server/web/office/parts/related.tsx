// What belongs to a record: who attended an event, a station's days, what somebody took part in, photos.

import type { RecordKey } from '../../sdk/types';
import { useLoad } from '../load';
import { collTitle } from '../names';
import { filledColumns, headTitle, readList } from '../lists';
import { placeText } from '../router';
import type { RecordRow } from '../types';
import { t } from '../words';
import { Photo } from './photo';
import { DataTable } from './table';
import { recordHref, Value } from './values';

const SHOWN = 6;
const SHOWN_FIELDS = 5;
const MOST_PHOTOS = 24;

/** By which field records of another collection name one of this. */
const BELONGS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  event: [['attendance', 'event']],
  volunteer: [['attendance', 'volunteer']],
  station: [['station_day', 'station']],
};
/** Of the collections that lie in the record's own scope. */
const BESIDE: Readonly<Record<string, readonly string[]>> = { station: ['visit', 'quota'] };

export function Related({ record }: { record: RecordRow }) {
  const parts = [
    ...(BELONGS[record.coll] ?? []).map(([coll, field]) => ({ coll, query: { [field]: record.id }, without: field })),
    ...(BESIDE[record.coll] ?? []).map((coll) => ({ coll, query: { scope: record.scope }, without: '' })),
    ...(record.coll === 'note' || record.coll === 'photo' ? [] : [{ coll: 'note', query: { about: `${record.coll}/${record.id}` }, without: 'about' }]),
  ];
  return <>{parts.map((part) => <Part key={part.coll} {...part} />)}</>;
}

function Part({ coll, query, without }: { coll: string; query: Record<string, string>; without: string }) {
  const { data, error, loading, reload } = useLoad(`${coll} ${JSON.stringify(query)}`, (signal) => readList(coll, new URLSearchParams(query), signal, SHOWN));
  if (data === null && error?.status === 503) return <p class="small quiet">{t('lists.warming')}</p>;
  // Notes are few: none is no news.
  if (coll === 'note' && (data === null || data.matching === 0)) return null;
  const fields = filledColumns(coll, data?.rows ?? []).filter((name) => name !== without).slice(0, SHOWN_FIELDS);
  return (
    <div class="stack tight">
      <div class="head-row">
        <h2>{collTitle(coll)} {data !== null && <span class="quiet num">{data.matching}</span>}</h2>
        {data !== null && data.matching > data.rows.length && <a class="small" href={placeText('lists', [coll], query)}>{t('related.all', { n: data.matching })}</a>}
      </div>
      {data?.rows.length === 0 ? <p class="quiet">{t('lists.none', { coll: collTitle(coll) })}</p> : <DataTable
        label={collTitle(coll)}
        columns={fields.map((name, i) => ({ name, title: headTitle(coll, name), grows: i === 0, cell: (row: RecordRow) => <Value short coll={coll} field={name} value={row.fields?.[name]} scope={row.scope} /> }))}
        rows={data?.rows ?? null}
        keyOf={({ scope, id }) => `${scope} ${id}`}
        hrefOf={({ scope, id }) => recordHref({ scope, coll, id })}
        loading={loading}
        error={error}
        onRetry={reload}
        empty={{ icon: 'note', title: t('lists.none', { coll: collTitle(coll) }) }}
      />}
    </div>
  );
}

export function Photos({ record }: { record: RecordKey & RecordRow }) {
  const about = `${record.coll}/${record.id}`;
  const { data } = useLoad(about, (signal) => readList('photo', new URLSearchParams({ about }), signal, MOST_PHOTOS));
  const own = record.coll === 'photo' ? [record as RecordRow] : data?.rows ?? [];
  const photos = own.filter(({ fields }) => typeof fields?.blob === 'string');
  if (photos.length === 0) return null;
  return (
    <section class="card" aria-label={t('photo.title')}>
      <h2>{t('photo.title')}</h2>
      <ul class="photos">
        {photos.map((row) => (
          <li key={row.id}>
            <Photo row={row} />
            {row.id !== record.id && <a class="small" href={recordHref(row)}>{String(row.fields?.note ?? '') || t('photo.one')}</a>}
          </li>
        ))}
      </ul>
    </section>
  );
}
