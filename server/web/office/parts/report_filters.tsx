// What a report is asked: its period, what a row stands for, and which part of the city.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { get } from '../api';
import { choicesOf, dimensionTitle, filtersOf, periodOf, PRESETS, presetOf, type Period, type ReportInfo } from '../reports';
import type { RecordRow } from '../types';
import { t } from '../words';
import { SelectField } from './fields';
import { Pick, type Choice } from './pick';

// --- the period ------------------------------------------------------------------------------------------

export function PeriodChoice({ period, zone, onChange }: { period: Period; zone: string; onChange: (period: Period) => void }) {
  const now = Date.now();
  const preset = presetOf(period, now, zone);
  return (
    <div class="period" role="group" aria-label={t('report.period')}>
      <div class="segments">
        {PRESETS.map((each) => (
          <button key={each} type="button" aria-pressed={each === preset} onClick={() => onChange(periodOf(each, now, zone))}>{t(`period.${each}`)}</button>
        ))}
      </div>
      <div class="days">
        <DayField label={t('report.from')} value={period.from} onChange={(from) => onChange({ from, to: period.to < from ? from : period.to })} />
        <span class="quiet" aria-hidden="true">–</span>
        <DayField label={t('report.to')} value={period.to} onChange={(to) => onChange({ from: period.from > to ? to : period.from, to })} />
      </div>
    </div>
  );
}

/** A day half typed asks for nothing. */
function DayField({ label, value, onChange }: { label: string; value: string; onChange: (day: string) => void }) {
  return (
    <input
      type="date" class="input" aria-label={label} value={value} max="9999-12-31" required
      onChange={(event) => /^[12]\d{3}-\d\d-\d\d$/.test(event.currentTarget.value) && onChange(event.currentTarget.value)}
    />
  );
}

// --- what a row stands for -------------------------------------------------------------------------------

export const MOST_DIMENSIONS = 4;

/** Chosen ones come in the order in which they were chosen: that is the order of the columns. */
export function DimensionChoice({ info, by, onChange }: { info: ReportInfo; by: readonly string[]; onChange: (by: string[]) => void }) {
  const toggle = (name: string) => {
    const next = by.includes(name) ? by.filter((each) => each !== name) : [...by, name];
    if (next.length > 0 && next.length <= MOST_DIMENSIONS) onChange(next);
  };
  const shown = [...by.map((name) => info.dimensions.find((dimension) => dimension.name === name)).filter((dimension) => dimension !== undefined),
    ...info.dimensions.filter(({ name }) => !by.includes(name))];
  return (
    <div class="dimensions" role="group" aria-label={t('report.by')}>
      <span class="quiet" aria-hidden="true">{t('report.by')}</span>
      {shown.map((dimension) => {
        const { name } = dimension;
        const at = by.indexOf(name);
        const off = at < 0 ? by.length >= MOST_DIMENSIONS : by.length === 1;
        return (
          <button key={name} type="button" class={at < 0 ? 'chip' : 'chip on'} aria-pressed={at >= 0} aria-disabled={off ? 'true' : undefined} onClick={() => toggle(name)}>
            {at >= 0 && <Icon name="check" small />}
            <span>{dimensionTitle(dimension)}</span>
          </button>
        );
      })}
    </div>
  );
}

// --- which part ------------------------------------------------------------------------------------------

const FOUND_AT_MOST = 20;

async function listed(coll: string, q: string, signal: AbortSignal, choice: (row: RecordRow) => Choice | null, more: Record<string, string> = {}): Promise<Choice[]> {
  const { rows } = await get<{ rows: RecordRow[] }>(`/v1/lists/${coll}`, { q, limit: FOUND_AT_MOST, ...more }, signal);
  return rows.map(choice).filter((found) => found !== null);
}

function choiceBy(field: string): (row: RecordRow) => Choice {
  return ({ id, fields }) => ({ id, title: typeof fields?.[field] === 'string' ? fields[field] : id });
}

function division(kind: string): (q: string, signal: AbortSignal) => Promise<Choice[]> {
  return (q, signal) => listed('scope', q, signal, ({ fields }) => (typeof fields?.code === 'string' ? { id: fields.code, title: String(fields.title ?? fields.code) } : null), { kind, sort: 'scope' });
}

/** Where the values of a filter are looked up; others are typed. */
const searches: Readonly<Record<string, (q: string, signal: AbortSignal) => Promise<Choice[]>>> = {
  station: (q, signal) => listed('station', q, signal, ({ scope, fields }) => ({ id: scope, title: typeof fields?.name === 'string' ? fields.name : scope })),
  event: (q, signal) => listed('event', q, signal, choiceBy('title')),
  person: (q, signal) => listed('volunteer', q, signal, choiceBy('name')),
  district: division('district'),
  town: division('town'),
  division: division('community'),
};

const found = new Map<string, string>();

function filterTitle(info: ReportInfo, name: string): string {
  const dimension = info.dimensions.find((each) => each.name === name);
  return dimension === undefined ? name : dimensionTitle(dimension);
}

interface FilterProps {
  info: ReportInfo;
  filters: Readonly<Record<string, string>>;
  onChange: (name: string, value: string) => void;
}

export function ReportFilters({ info, filters, onChange }: FilterProps) {
  const offered = filtersOf(info);
  const set = offered.filter((name) => filters[name] !== undefined);
  if (offered.length === 0) return null;
  return (
    <details class="report-filters" open={set.length > 0}>
      <summary>{t('report.filters')}{set.length > 0 && <span class="num"> ({set.length})</span>}</summary>
      <div class="fields">
        {offered.map((name) => <Filter key={name} name={name} title={filterTitle(info, name)} value={filters[name] ?? ''} onChange={(value) => onChange(name, value)} />)}
      </div>
      {set.length > 0 && <Button kind="bare" onClick={() => set.forEach((name) => onChange(name, ''))}>{t('do.clear')}</Button>}
    </details>
  );
}

function Filter({ name, title, value, onChange }: { name: string; title: string; value: string; onChange: (value: string) => void }) {
  const choices = choicesOf(name);
  const search = searches[name];
  if (choices.length > 0) return <SelectField label={title} value={value} choices={[['', t('report.all')], ...choices]} onChange={onChange} />;
  if (search !== undefined) {
    return (
      <div class="with-clear">
        <Pick label={title} placeholder={t('report.all')} search={search} shown={value === '' ? '' : found.get(`${name} ${value}`) ?? value} onPick={(choice) => {
          found.set(`${name} ${choice.id}`, choice.title);
          onChange(choice.id);
        }} />
        {value !== '' && <Button kind="bare" icon="close" label={t('report.clear_one', { title })} onClick={() => onChange('')} />}
      </div>
    );
  }
  return <TextFilter title={title} value={value} onChange={onChange} />;
}

const TYPING_MS = 400;

/** Asks when the typing has paused. */
function TextFilter({ title, value, onChange }: { title: string; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="field">
      <span class="label">{title}</span>
      <input class="input" value={text} placeholder={t('report.all')} maxLength={100} onInput={(event) => setText(event.currentTarget.value)} />
    </label>
  );
}

/** What was filtered by, in words: for the head of a printed page. */
export function filterText(info: ReportInfo, filters: Readonly<Record<string, string>>): string {
  return Object.entries(filters).map(([name, value]) => {
    const shown = choicesOf(name).find(([choice]) => choice === value)?.[1] ?? found.get(`${name} ${value}`) ?? value;
    return `${filterTitle(info, name)}: ${shown}`;
  }).join(' · ');
}
