// What records are called among people. Names of those that another one mentions are read one by one as they
// are shown, and kept for a moment.

import { useEffect, useState } from 'preact/hooks';
import type { Fields, RecordKey } from '../sdk/types';
import { get, inTurn } from './api';
import { collTitle, infoOf } from './names';
import type { ListReply, RecordRow } from './types';

const NAMES = ['title', 'name', 'text'] as const;
const LONGEST = 60;

/** The collection that a field's values are ids of. */
const REFERENCES: Readonly<Record<string, string>> = { event: 'event', volunteer: 'volunteer', station: 'station' };

export function referenceOf(coll: string, field: string): string | null {
  const info = infoOf(coll);
  if (info?.fields[field]?.redirect === true || (info?.facts === true && field === 'corrects')) return coll;
  return REFERENCES[field] ?? null;
}

function shortened(text: string): string {
  const points = Array.from(text);
  return points.length > LONGEST ? `${points.slice(0, LONGEST).join('')}…` : text;
}

/** The name that a record bears itself; '' where it has none. */
export function ownName(fields: Fields | undefined): string {
  for (const name of NAMES) {
    const value = fields?.[name];
    if (typeof value === 'string' && value !== '') return shortened(value);
  }
  return '';
}

export async function readRecord({ scope, coll, id }: RecordKey, signal?: AbortSignal): Promise<RecordRow | null> {
  const { records } = await get<{ records: RecordRow[] }>('/v1/records', { scope, coll, id }, signal);
  return records[0] ?? null;
}

/** Where it is not in this scope: a person may be at home in another. */
export async function findRecord(key: RecordKey): Promise<RecordRow | null> {
  const near = key.scope === '' ? null : await readRecord(key).catch(() => null);
  if (near !== null) return near;
  const { rows } = await get<ListReply>(`/v1/lists/${key.coll}`, { q: key.id, limit: 20 });
  return rows.find(({ id }) => id === key.id) ?? null;
}

const NAMES_AT_ONCE = 2;
const oneOfFew = inTurn(NAMES_AT_ONCE);
/** A name may be changed or erased while the page is open. */
const KNOWN_MS = 20_000;
const known = new Map<string, { at: number; found: Promise<RecordRow | null> }>();

/** Reads it once in a while. */
export function lookUp(key: RecordKey): Promise<RecordRow | null> {
  const text = `${key.scope} ${key.coll} ${key.id}`;
  const old = known.get(text);
  if (old !== undefined && Date.now() - old.at < KNOWN_MS) return old.found;
  const found = oneOfFew(() => findRecord(key)).catch(() => {
    known.delete(text);
    return null;
  });
  known.set(text, { at: Date.now(), found });
  return found;
}

/** After a change: names are read anew. */
export function forgetNames(): void {
  known.clear();
}

/** What to call it: its own name, or what its key is made of, or its id. */
async function nameOf(key: RecordKey, fields: Fields | undefined): Promise<string> {
  const own = ownName(fields);
  if (own !== '') return own;
  const parts = infoOf(key.coll)?.key;
  const ids = key.id.split('~');
  if (parts === undefined || ids.length !== parts.length) return key.id;
  const names = await Promise.all(parts.map(async (part, i) => {
    const coll = referenceOf(key.coll, part);
    const id = ids[i] as string;
    return coll === null ? id : ownName((await lookUp({ scope: key.scope, coll, id }))?.fields) || id;
  }));
  return names.reverse().join(' · ');
}

/** `fields`: where the record is at hand; else it is read. The id until its name is known. */
export function useRecordName(key: RecordKey, fields?: Fields): string {
  const [name, setName] = useState(ownName(fields) || key.id);
  useEffect(() => {
    let ended = false;
    const reading = fields === undefined ? lookUp(key).then((row) => nameOf(key, row?.fields)) : nameOf(key, fields);
    void reading.then((read) => !ended && setName(read), () => undefined);
    return () => {
      ended = true;
    };
  }, [key.scope, key.coll, key.id, JSON.stringify(fields)]);
  return name;
}

/** "Event e101", for what has no name. */
export function plainName({ coll, id }: { coll: string; id: string }): string {
  return `${collTitle(coll)} ${id}`;
}
