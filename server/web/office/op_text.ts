// Values and edits in words: from the titles in the schemas.

import type { Json } from '../sdk/types';
import { timeOf } from '../ui/format';
import { collTitle, fieldOf, fieldTitle, choicesOf } from './names';
import type { HandedIn } from './types';
import { absoluteText } from './parts/time';
import { t, hasSentence } from './words';

const MOVES = ['grant', 'lease', 'spend', 'return'] as const;

/** A value as people read it; `null` is nothing. */
export function valueText(coll: string, field: string, value: Json | undefined): string {
  if (value === undefined || value === null) return t('op.nothing');
  const info = fieldOf(coll, field);
  if (typeof value === 'boolean') return t(value ? 'op.yes' : 'op.no');
  if (Array.isArray(value)) return value.map((one) => valueText(coll, field, one)).join(t('op.and'));
  if (typeof value === 'object') return JSON.stringify(value);
  if (info?.type === 'time') {
    const ms = timeOf(value);
    if (ms !== null) return absoluteText(ms).replace(/:00$/, '');
  }
  if (typeof value === 'string') return choicesOf(coll, field).find(([choice]) => choice === value)?.[1] ?? value;
  return String(value);
}

function listText(coll: string, field: string, values: unknown): string {
  return valueText(coll, field, (Array.isArray(values) ? values : [values]) as Json);
}

function entriesOf<Value>(part: Record<string, Value> | undefined): [string, Value][] {
  return typeof part === 'object' && part !== null ? Object.entries(part) : [];
}

/** What an op does, a line each. Takes whatever a device has written. `erased`: what it says about a person is gone. */
export function opLines(op: HandedIn, erased = false): string[] {
  const coll = typeof op.coll === 'string' ? op.coll : '';
  const title = (field: string) => fieldTitle(coll, field);
  const lines: string[] = [];
  if (op.del === true) lines.push(t('edit.del'));
  for (const [field, value] of entriesOf(op.set)) {
    const gone = erased && fieldOf(coll, field)?.personal === true;
    lines.push(value === null ? t(gone ? 'edit.erased' : 'edit.clear', { field: title(field) }) : t('op.set', { field: title(field), value: valueText(coll, field, value) }));
  }
  for (const [field, n] of entriesOf(op.inc)) lines.push(t(Number(n) < 0 ? 'op.less' : 'op.more', { field: title(field), n: Math.abs(Number(n)) }));
  for (const part of ['add', 'remove', 'append'] as const) {
    for (const [field, values] of entriesOf(op[part])) lines.push(t(`op.${part}`, { field: title(field), value: listText(coll, field, values) }));
  }
  for (const move of MOVES) for (const [field, n] of entriesOf(op[move])) lines.push(t(`edit.${move}`, { field: title(field), n: Number(n) }));
  for (const [field, device] of entriesOf(op.reclaim)) lines.push(t('edit.reclaim', { field: title(field), device: String(device) }));
  for (const part of ['settle', 'reopen'] as const) {
    const values = op[part];
    if (Array.isArray(values)) for (const { field } of values) lines.push(t(`edit.${part}`, { field: title(field) }));
  }
  if (typeof op.replays === 'object' && op.replays !== null) lines.push(t('edit.replays', { name: `${op.replays.device}~${op.replays.n}` }));
  return lines;
}

/** The record that an op is about, for those whose names are not at hand. */
export function opRecord({ coll, id }: HandedIn): string {
  return [typeof coll === 'string' ? collTitle(coll) : '', typeof id === 'string' ? id : ''].join(' ').trim();
}

/** Why an op was refused; the code itself stands beside it on show. */
export function refusedText(code: string): string {
  const key = `refusal.${code}`;
  const shared = `refused.${code}.why`;
  if (hasSentence(key)) return t(key);
  return hasSentence(shared) ? t(shared) : t('refused.other.why', { code });
}
