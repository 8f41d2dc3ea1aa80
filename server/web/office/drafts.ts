// What is typed into the form of a record, and the edits that come of it: only what is different.

import type { FieldInfo } from '../sdk/schema';
import type { Edits, Fields, Json } from '../sdk/types';
import { timeOf, two } from '../ui/format';
import { fieldOf, infoOf } from './names';
import type { OfficeKey } from './words';
import { cityInstant, cityOffset, cityTime } from './zone';

/** A register and a counter's change as text, a set as its elements, a log as the entry to be added. */
export type Draft = Record<string, string | string[]>;

const MINUTE = 60_000;

/** "2026-01-31T08:30" in the city, as a field for times takes it; with seconds where there are some. */
export function localTime(value: Json | undefined): string {
  const ms = timeOf(value);
  if (ms === null) return '';
  const { day, hour, minute, second } = cityTime(ms);
  return `${day}T${two(hour)}:${two(minute)}${second === 0 ? '' : `:${two(second)}`}`;
}

/** Back, with the city's offset. */
export function zonedTime(local: string): string {
  const offset = Math.round(cityOffset(cityInstant(local)) / MINUTE);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${local.length === 16 ? `${local}:00` : local}${zone}`;
}

/** The milliseconds at which a day of the city begins, and the last one of it. */
export function dayBounds(day: string): [number, number] {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return [cityInstant(`${day}T00:00`), cityInstant(next.toISOString().slice(0, 16)) - 1];
}

export function valueToText(field: FieldInfo, value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (field.type === 'time') return localTime(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `null` for what is empty: that clears a field. */
export function textToValue(field: FieldInfo, text: string): Json {
  if (text.trim() === '') return null;
  switch (field.type) {
    case 'time': return zonedTime(text);
    case 'boolean': return text === 'true';
    case 'integer':
    case 'number': return Number(text);
    default: return text;
  }
}

/** Whether people write it as such: a redirect comes of a merge, a quota's moves are its own. */
export function isWritten(field: FieldInfo): boolean {
  return field.by !== 'server' && field.merge !== 'quota' && field.redirect !== true;
}

export function writtenFields(coll: string): string[] {
  const info = infoOf(coll);
  if (info === undefined) return [];
  return Object.entries(info.fields).filter(([name, field]) => isWritten(field) && info.key?.includes(name) !== true).map(([name]) => name);
}

/** A fact is created and annotated: its logs and sets alone take more. */
export function editableFields(coll: string): string[] {
  const info = infoOf(coll);
  return writtenFields(coll).filter((name) => info?.facts !== true || info.fields[name]?.merge === 'log');
}

export function draftOf(coll: string, fields: Fields, names: readonly string[] = writtenFields(coll)): Draft {
  const draft: Draft = {};
  for (const name of names) {
    const field = fieldOf(coll, name);
    if (field === undefined) continue;
    if (field.merge === 'set') draft[name] = Array.isArray(fields[name]) ? (fields[name] as Json[]).map(String) : [];
    else draft[name] = field.merge === 'register' ? valueToText(field, fields[name]) : '';
  }
  return draft;
}

/** What is wrong with a text, as a sentence's key with its number; `null` for nothing. */
export function wrongWith(field: FieldInfo, text: string): { key: OfficeKey; n?: number } | null {
  if (text.trim() === '') return null;
  if (field.type === 'integer' || field.type === 'number') {
    const number = Number(text);
    if (!Number.isFinite(number) || (field.type === 'integer' && !Number.isSafeInteger(number))) return { key: 'wrong.number' };
    if (field.min !== undefined && number < field.min) return { key: 'wrong.min', n: field.min };
    if (field.max !== undefined && number > field.max) return { key: 'wrong.max', n: field.max };
  }
  if (field.type === 'time' && Number.isNaN(cityInstant(text))) return { key: 'wrong.time' };
  if (field.type === 'string' && field.max_length !== undefined && Array.from(text).length > field.max_length) return { key: 'wrong.length', n: field.max_length };
  return null;
}

export function wrongsOf(coll: string, draft: Draft): Record<string, { key: OfficeKey; n?: number }> {
  const wrongs: Record<string, { key: OfficeKey; n?: number }> = {};
  for (const [name, said] of Object.entries(draft)) {
    const field = fieldOf(coll, name);
    if (field === undefined) continue;
    for (const text of typeof said === 'string' ? [said] : said) {
      const wrong = wrongWith(field, text);
      if (wrong !== null) wrongs[name] = wrong;
    }
  }
  return wrongs;
}

function elementsOf(field: FieldInfo, texts: readonly string[]): Json[] {
  return texts.map((text) => textToValue(field, text));
}

/** What turns `fields` into the draft; `null` where nothing is different. */
export function editsOf(coll: string, fields: Fields, draft: Draft): Edits | null {
  const was = draftOf(coll, fields, Object.keys(draft));
  const edits: { set: Fields; inc: Record<string, number>; add: Record<string, Json[]>; remove: Record<string, Json[]>; append: Record<string, Json[]> } =
    { set: {}, inc: {}, add: {}, remove: {}, append: {} };
  for (const [name, said] of Object.entries(draft)) {
    const field = fieldOf(coll, name);
    if (field === undefined) continue;
    const before = was[name] ?? '';
    if (Array.isArray(said)) {
      const added = said.filter((one) => !before.includes(one));
      const gone = (before as string[]).filter((one) => !said.includes(one));
      if (added.length > 0) edits.add[name] = elementsOf(field, added);
      if (gone.length > 0) edits.remove[name] = elementsOf(field, gone);
    } else if (field.merge === 'register') {
      if (said !== before) edits.set[name] = textToValue(field, said);
    } else if (said.trim() !== '') {
      if (field.merge === 'counter' && Number(said) !== 0) edits.inc[name] = Number(said);
      if (field.merge === 'log') edits.append[name] = [textToValue(field, said)];
    }
  }
  const kept = Object.entries(edits).filter(([, part]) => Object.keys(part).length > 0);
  return kept.length === 0 ? null : (Object.fromEntries(kept) as Edits);
}
