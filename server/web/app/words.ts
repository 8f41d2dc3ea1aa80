// Edits in words, for the page behind the sync line: from the titles in the schemas, with the few turns of
// phrase that people at a door or a counter use.

import type { Json, Op } from '../sdk/types';
import { clockText, timeOf } from '../ui/format';
import { hasMessage, t, titled } from '../ui/i18n';
import { device } from './device';
import { choiceName, infoOf, text } from './fields';

type WholeOp = Exclude<Op, { lost: true }>;

function nameOfPerson(id: string, scope: string): string {
  const record =
    device().view({ scope, coll: 'volunteer', id }) ?? device().list('volunteer').find((volunteer) => volunteer.id === id);
  return (record && text(record.fields, 'name')) || id;
}

/** What a record is called among people: its title, or what it is about. */
export function nameOfRecord(op: WholeOp): string {
  const [first = '', second] = op.id.split('~');
  if (op.coll === 'attendance' && second !== undefined) return nameOfPerson(second, op.scope);
  const record = device().view(op);
  const fields = { ...record?.fields, ...op.set };
  for (const name of ['title', 'name']) {
    const value = text(fields, name);
    if (value !== '') return value;
  }
  if (op.coll === 'note') return shortened(text(fields, 'text'));
  return op.coll === 'station_day' ? first : '';
}

export function fieldName(coll: string, field: string): string {
  const title = infoOf(coll)?.fields[field]?.title;
  return title === undefined ? field : titled(title);
}

export function collName(coll: string): string {
  const info = infoOf(coll);
  return info === undefined ? coll : titled(info.title);
}

function shortened(value: string): string {
  const points = Array.from(value);
  return points.length > 40 ? `${points.slice(0, 40).join('')}…` : value;
}

function valueText(coll: string, field: string, value: Json): string {
  const type = infoOf(coll)?.fields[field]?.type;
  if (value === null) return t('op.nothing');
  if (typeof value === 'boolean') return t(value ? 'op.yes' : 'op.no');
  if (type === 'time') {
    const ms = timeOf(value);
    if (ms !== null) return clockText(ms);
  }
  return typeof value === 'string' ? shortened(choiceName(coll, field, value)) : JSON.stringify(value);
}

function listText(coll: string, field: string, values: Json[]): string {
  return values.map((value) => valueText(coll, field, value)).join(t('op.and'));
}

/** The turns of phrase: for what is done a hundred times a day. */
function usual(op: WholeOp, name: string): string | null {
  const set = op.set ?? {};
  if (op.coll === 'attendance') {
    const key = set.signed_in !== undefined ? 'signed_in' : set.signed_out !== undefined ? 'signed_out' : null;
    if (key === null) return null;
    const ms = timeOf(set[key]);
    if (key === 'signed_in') return ms === null ? t('op.sign_in_back', { name }) : t('op.sign_in', { name, time: clockText(ms) });
    return ms === null ? t('op.sign_out_back', { name }) : t('op.sign_out', { name, time: clockText(ms) });
  }
  if (op.coll === 'visit' && typeof set.visitor === 'string') {
    const visitor = choiceName('visit', 'visitor', set.visitor);
    if (set.void === true) return t('op.visit_back', { visitor });
    const services = op.add?.services;
    return services === undefined ? t('op.visit', { visitor }) : t('op.visit_with', { visitor, services: listText('visit', 'services', services) });
  }
  if (op.coll === 'photo' && set.blob !== undefined) return t('op.photo');
  if (op.coll === 'volunteer' && op.base === 0 && typeof set.name === 'string') return t('op.new_person', { name });
  for (const move of ['lease', 'spend', 'return'] as const) {
    const amount = Object.values(op[move] ?? {})[0];
    if (amount !== undefined) return t(`op.${move}`, { name, n: amount });
  }
  return null;
}

/** One edit as a sentence. */
export function describe(op: Op): string {
  if (op.lost) return t('op.lost', { n: op.n });
  const name = nameOfRecord(op);
  const short = usual(op, name);
  if (short !== null) return short;
  const record = name === '' ? collName(op.coll) : t('op.record', { coll: collName(op.coll), name });
  if (op.del === true) return t('op.delete', { record });
  const { coll } = op;
  const parts: string[] = [];
  for (const [field, value] of Object.entries(op.set ?? {})) {
    parts.push(t('op.set', { field: fieldName(coll, field), value: valueText(coll, field, value) }));
  }
  for (const [field, amount] of Object.entries(op.inc ?? {})) {
    parts.push(t(amount < 0 ? 'op.less' : 'op.more', { field: fieldName(coll, field), n: Math.abs(amount) }));
  }
  for (const [field, values] of Object.entries(op.add ?? {})) {
    parts.push(t('op.add', { field: fieldName(coll, field), value: listText(coll, field, values) }));
  }
  for (const [field, values] of Object.entries(op.remove ?? {})) {
    parts.push(t('op.remove', { field: fieldName(coll, field), value: listText(coll, field, values) }));
  }
  for (const [field, values] of Object.entries(op.append ?? {})) {
    parts.push(t('op.append', { field: fieldName(coll, field), value: listText(coll, field, values) }));
  }
  return t('op.edit', { record, what: parts.join(t('op.then')) });
}

/** Why an edit was not taken, and what its author can do. */
export function refusalText(code: string): { why: string; todo: string } {
  const why = `refused.${code}.why`;
  const todo = `refused.${code}.do`;
  return {
    why: hasMessage(why) ? t(why) : t('refused.other.why', { code }),
    todo: hasMessage(todo) ? t(todo) : t('refused.other.do'),
  };
}

