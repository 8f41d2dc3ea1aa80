// Which columns and filters a list has, by the schema of its collection; and what an address of it asks for.

import type { FieldInfo } from '../sdk/schema';
import type { RecordKey } from '../sdk/types';
import { get } from './api';
import { dayBounds } from './drafts';
import { collTitle, fieldOf, fieldTitle, infoOf } from './names';
import { referenceOf } from './record_names';
import type { Query } from './router';
import type { ListReply, RecordRow } from './types';

export const PAGE_ROWS = 50;
const MOST_COLUMNS = 7;
const LONG_TEXT = 200;
const MOST_SELECTS = 3;

/** Keys of an address that are no fields. */
const SAID = new Set(['q', 'sort', 'offset', 'under', 'scope', 'deleted']);

function isShown(field: FieldInfo, derived: boolean): boolean {
  if (field.merge === 'log' || field.redirect === true) return false;
  if (field.by === 'server' && !derived) return false;
  return field.enum !== undefined || (field.max_length ?? 0) <= LONG_TEXT;
}

/** The fields that may become columns: what names a record first, then as the schema has them. */
function shownFields(coll: string): string[] {
  const info = infoOf(coll);
  if (info === undefined) return [];
  const names = Object.entries(info.fields).filter(([, field]) => isShown(field, info.derived)).map(([name]) => name);
  const first = names.filter((name) => name === 'title' || name === 'name' || info.key?.includes(name) === true);
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/** Without those that are empty in every row on show, and whose place would be lost to the others. */
export function filledColumns(coll: string, rows: readonly RecordRow[], most = MOST_COLUMNS): string[] {
  const fields = shownFields(coll);
  const empty = (value: unknown) => value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  return fields.filter((name, i) => i === 0 || rows.some(({ fields: has }) => !empty(has?.[name]))).slice(0, most);
}

/** In a heading: the name of what an id stands for, without "id of" and without what explains. */
export function headTitle(coll: string, field: string): string {
  const other = referenceOf(coll, field);
  const named = other !== null && fieldOf(coll, field)?.redirect !== true && field !== 'corrects';
  return named ? collTitle(other) : fieldTitle(coll, field).replace(/\s*[（(].*$/, '');
}

export function hasOwnScope({ scope, id }: RecordKey): boolean {
  return scope === id || scope.endsWith(`:${id}`);
}

export function selectFields(coll: string): string[] {
  return Object.entries(infoOf(coll)?.fields ?? {}).filter(([, field]) => field.enum !== undefined || field.type === 'boolean').map(([name]) => name).slice(0, MOST_SELECTS);
}

/** The field by whose day it can be filtered. */
export function dayField(coll: string): string | null {
  const info = infoOf(coll);
  return shownFields(coll).find((name) => ['time', 'date'].includes(info?.fields[name]?.type ?? '')) ?? null;
}

export function firstSort(coll: string): string {
  const fields = shownFields(coll);
  const day = dayField(coll);
  if (day !== null && infoOf(coll)?.facts !== true) return `-${day}`;
  return fields.includes('name') ? 'name' : '-seq';
}

export function canSort(coll: string, field: string): boolean {
  const merge = fieldOf(coll, field)?.merge;
  return merge === 'register' || merge === 'counter';
}

/** Filters by a field that the row of filters does not offer: links lead here with them. */
export function otherFilters(coll: string, query: URLSearchParams): [string, string][] {
  const offered = new Set([...SAID, ...selectFields(coll)]);
  const day = dayField(coll);
  if (day !== null) for (const end of ['from', 'to']) offered.add(`${day}.${end}`);
  return [...query].filter(([key]) => !offered.has(key));
}

export function isFiltered(query: URLSearchParams): boolean {
  return [...query.keys()].some((key) => key !== 'sort' && key !== 'offset');
}

/** The address holds days; the server is asked for instants. */
function asked(coll: string, query: URLSearchParams): Query {
  const out: Query = {};
  for (const [key, value] of query) {
    const [field = '', end] = key.split('.');
    const isDay = end !== undefined && fieldOf(coll, field)?.type === 'time' && /^\d{4}-\d{2}-\d{2}$/.test(value);
    out[key] = isDay ? new Date(dayBounds(value)[end === 'from' ? 0 : 1]).toISOString() : value;
  }
  return out;
}

export function readList(coll: string, query: URLSearchParams, signal?: AbortSignal, limit = PAGE_ROWS): Promise<ListReply> {
  return get<ListReply>(`/v1/lists/${coll}`, { sort: firstSort(coll), ...asked(coll, query), limit }, signal);
}
