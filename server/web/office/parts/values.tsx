// Values of fields on show: words, chips, times with their zone, names of what is mentioned.

import type { LogEntry, QuotaValue } from '../../sdk/schema';
import type { Fields, Json, RecordKey } from '../../sdk/types';
import { timeOf } from '../../ui/format';
import { collTitle, fieldOf, isMoment } from '../names';
import { valueText } from '../op_text';
import { referenceOf, useRecordName } from '../record_names';
import { placeText } from '../router';
import { t } from '../words';
import { cityClock, cityDay, cityZone } from '../zone';
import { ScopeName } from './scope_fields';
import { absoluteText, When } from './time';

/** Fields that name a record of any collection: "collection/id". */
const NAMING = ['about', 'account'];

export function recordHref({ scope, coll, id }: RecordKey, query = {}): string {
  return placeText('records', [scope, coll, id], query);
}

export function RecordName({ record, fields }: { record: RecordKey; fields?: Fields | undefined }) {
  const name = useRecordName(record, fields);
  return <span title={record.id}>{name}</span>;
}

export function RecordLink({ record, fields }: { record: RecordKey; fields?: Fields }) {
  return <a href={recordHref(record)}><RecordName record={record} fields={fields} /></a>;
}

function Quota({ value }: { value: QuotaValue }) {
  const leased = Object.values(value.leases ?? {}).reduce((sum, { left }) => sum + left, 0);
  return <span class="num">{t('quota.state', { free: value.free, granted: value.granted, spent: value.spent, leased })}</span>;
}

function Log({ coll, field, entries }: { coll: string; field: string; entries: readonly LogEntry<Json>[] }) {
  return (
    <ol class="log">
      {entries.map(({ at, by, v }) => <li key={`${at} ${by}`}><When ms={at} /> <span>{valueText(coll, field, v)}</span></li>)}
    </ol>
  );
}

interface ValueProps {
  coll: string;
  field: string;
  value: Json | undefined;
  /** Where the record lies, for names of what it mentions. */
  scope: string;
  /** In a table: a line, and no links. */
  short?: boolean;
}

export function Value({ coll, field, value, scope, short = false }: ValueProps) {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return <span class="quiet">–</span>;
  const info = fieldOf(coll, field);
  if (info?.merge === 'quota' && typeof value === 'object') return <Quota value={value as unknown as QuotaValue} />;
  if (info?.merge === 'log' && Array.isArray(value)) return <Log coll={coll} field={field} entries={value as unknown as LogEntry<Json>[]} />;
  if (Array.isArray(value)) {
    if (short) return <span class="cut">{valueText(coll, field, value)}</span>;
    return <ul class="chips">{value.map((one) => <li key={String(one)}>{valueText(coll, field, one)}</li>)}</ul>;
  }
  if (info?.type === 'time') return short ? <ShortTime ms={timeOf(value)} /> : <When ms={timeOf(value)} exact />;
  if (typeof value === 'number' && isMoment(coll, field)) return short ? <ShortTime ms={value} /> : <When ms={value} exact />;
  if (typeof value === 'string') {
    const other = referenceOf(coll, field);
    if (other !== null) return short ? <RecordName record={{ scope, coll: other, id: value }} /> : <RecordLink record={{ scope, coll: other, id: value }} />;
    if (coll === 'scope' && field === 'parent') return <ScopeName id={value} />;
    if (NAMING.includes(field) && value.includes('/')) return <About scope={scope} value={value} short={short} />;
    if (field === 'blob') return <span class="code small">{value.slice(0, 12)}…</span>;
  }
  const text = valueText(coll, field, value);
  if (short) return <span class={typeof value === 'number' ? 'num' : 'cut'}>{text}</span>;
  return <span class={typeof value === 'number' ? 'num' : 'text'}>{text}</span>;
}

/** The year is said where it is another one. */
function ShortTime({ ms }: { ms: number | null }) {
  if (ms === null) return <span class="quiet">–</span>;
  const day = cityDay(ms);
  const shown = day.slice(0, 4) === cityDay(Date.now()).slice(0, 4) ? day.slice(5) : day;
  return <time class="num" dateTime={new Date(ms).toISOString()} title={`${absoluteText(ms)} ${cityZone()}`}>{shown} {cityClock(ms)}</time>;
}

function About({ scope, value, short }: { scope: string; value: string; short: boolean }) {
  const at = value.indexOf('/');
  const record = { scope, coll: value.slice(0, at), id: value.slice(at + 1) };
  return <span>{collTitle(record.coll)} {short ? <RecordName record={record} /> : <RecordLink record={record} />}</span>;
}
