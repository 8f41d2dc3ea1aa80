// Ops that the server refused: the record about each, the op itself, and what becomes of it.

import type { Edits, Fields, Json, RecordKey } from '../sdk/types';
import { ApiError, get } from './api';
import { textToValue, valueToText } from './drafts';
import { handIn, type Edit } from './edits';
import { fieldOf, infoOf } from './names';
import { readRecord } from './record_names';
import type { HandedIn, QuarantineReply, RecordRow } from './types';

export const OFFICE_SCOPE = 'system:office';

export interface RefusedName {
  device: string;
  n: number;
  /** A second content under a number that was used before: it cannot be replayed. */
  variant: boolean;
}

export function refusedName(id: string): RefusedName | null {
  const found = /^([0-9A-Z]+)~(\d+)(~[0-9a-f]+)?$/i.exec(id);
  return found === null ? null : { device: found[1] as string, n: Number(found[2]), variant: found[3] !== undefined };
}

const PART = 200;
const MOST_PARTS = 50;

async function findOp({ device, n, variant }: RefusedName, signal?: AbortSignal): Promise<HandedIn | null> {
  let after: string | undefined;
  const found: HandedIn[] = [];
  for (let part = 0; part < MOST_PARTS; part++) {
    const reply: QuarantineReply = await get<QuarantineReply>('/v1/quarantine', { device, limit: PART, after }, signal);
    for (const one of reply.quarantine) if (one.n === n && typeof one.op === 'object' && one.op !== null) found.push(one.op);
    // The first content under a number comes first.
    if (!variant && found[0] !== undefined) return found[0];
    if (!reply.next) break;
    after = reply.next;
  }
  return found.at(variant ? -1 : 0) ?? null;
}

/** The record about it: what its code is, and how it stands. */
export async function readRefused(id: string, signal?: AbortSignal): Promise<RecordRow> {
  const row = refusedName(id) === null ? null : await readRecord({ scope: OFFICE_SCOPE, coll: 'refused', id }, signal);
  if (row === null) throw new ApiError('http.not_found', 404, id);
  return row;
}

/** The op itself, which never changes. Every part of the quarantine that is read for it stands in the audit log.
 *  `null`: it is not in the quarantine any more, or was never an object. */
export async function readOp(id: string, signal?: AbortSignal): Promise<HandedIn | null> {
  const name = refusedName(id);
  return name === null ? null : findOp(name, signal);
}

/** What an op does, without what it says of itself. */
export const EDITS = ['set', 'inc', 'add', 'remove', 'append', 'grant', 'lease', 'spend', 'return', 'reclaim', 'settle', 'reopen', 'del'] as const;

export function editsIn(op: HandedIn): Edits {
  return Object.fromEntries(EDITS.filter((name) => op[name] !== undefined).map((name) => [name, op[name]]));
}

export interface Corrected extends RecordKey {
  edits: Edits;
}

/** The corrected op, as its author would have handed it in: with what they had seen. */
export function replayEdit(id: string, op: HandedIn, { scope, coll, id: record, edits }: Corrected): Edit {
  const { device, n } = refusedName(id) as RefusedName;
  return { scope, coll, id: record, base: op.base ?? 0, schema: op.schema ?? infoOf(coll)?.version ?? 1, ...edits, replays: { device, n } };
}

/** Says what becomes of it, against the state that the page showed. */
export async function setState({ id, seq }: RecordRow, set: { state: string; reason: string | null }): Promise<void> {
  await handIn([{ scope: OFFICE_SCOPE, coll: 'refused', id, if_seq: seq, set }]);
}

// --- the op in a form ------------------------------------------------------------------------------------

const PARTS = ['set', 'inc', 'add', 'remove', 'append'] as const;

/** One value of the op: a register, a counter's change, or the elements of a set or a log. */
export interface Line {
  part: (typeof PARTS)[number];
  field: string;
  text: string | string[];
  /** As its author handed it in. A text cannot say all of it, such as a time to the millisecond. */
  was: Json;
}

function textOf(coll: string, { part, field, was }: Omit<Line, 'text'>): string | string[] {
  const info = fieldOf(coll, field);
  const one = (value: Json) => (info === undefined ? JSON.stringify(value) : valueToText(info, value));
  return Array.isArray(was) && part !== 'set' ? was.map(one) : one(was);
}

export function linesOf(op: HandedIn): Line[] {
  const coll = op.coll ?? '';
  return PARTS.flatMap((part) => Object.entries((op[part] ?? {}) as Fields)
    .map(([field, was]): Line => ({ part, field, was, text: textOf(coll, { part, field, was }) })));
}

/** Whether a form can show it: all its fields are known, and it does nothing else. */
export function fitsForm(op: HandedIn): boolean {
  const edits = editsIn(op);
  const others = Object.keys(edits).filter((name) => !(PARTS as readonly string[]).includes(name));
  return others.length === 0 && linesOf(op).length > 0 && linesOf(op).every(({ field }) => fieldOf(op.coll ?? '', field) !== undefined);
}

function valueOfLine(coll: string, line: Line): Json | undefined {
  const { part, field, text, was } = line;
  const info = fieldOf(coll, field);
  if (info === undefined) return undefined;
  const before = textOf(coll, line);
  if (JSON.stringify(text) === JSON.stringify(before)) return was;
  if (!Array.isArray(text)) return part === 'append' ? [textToValue(info, text)] : textToValue(info, text);
  return text.map((one) => {
    const at = Array.isArray(before) ? before.indexOf(one) : -1;
    return at === -1 ? textToValue(info, one) : (was as Json[])[at] ?? null;
  });
}

/** What nobody has touched is word for word as it was. */
export function editsOfLines(coll: string, lines: readonly Line[]): Edits {
  const edits: Record<string, Fields> = {};
  for (const line of lines) {
    const value = valueOfLine(coll, line);
    if (value !== undefined) edits[line.part] = { ...edits[line.part], [line.field]: value };
  }
  return edits as Edits;
}

/** What is typed as JSON: the edits of an op; says where it is none. */
export function parseEdits(text: string): Edits | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '{…}';
  const unknown = Object.keys(value).filter((name) => !(EDITS as readonly string[]).includes(name));
  if (unknown.length > 0) return unknown.join(', ');
  return Object.keys(value).length === 0 ? '{}' : (value as Edits);
}
