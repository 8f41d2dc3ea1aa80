// Two records that may be one: a merge, its undoing, and what the office says of the two
// (docs/merge-rules.md#duplicates).

import type { RecordKey } from '../sdk/types';
import type { Edit, Expected } from './edits';
import { infoOf } from './names';
import { readRecord } from './record_names';
import { text } from './field_text';
import type { RecordRow } from './types';

export function redirectOf(coll: string): string | null {
  return Object.entries(infoOf(coll)?.fields ?? {}).find(([, field]) => field.redirect === true)?.[0] ?? null;
}

/** The server's record about the two; the smaller id stands first. */
export function candidateKey(scope: string, one: string, other: string): RecordKey {
  const [first, second] = one < other ? [one, other] : [other, one];
  return { scope, coll: 'duplicate', id: `${first}~${second}` };
}

export interface Two {
  one: RecordRow;
  other: RecordRow;
  /** `null`: the server does not hold them for candidates. */
  candidate: RecordRow | null;
}

export async function readTwo(scope: string, coll: string, one: string, other: string, signal?: AbortSignal): Promise<Two | null> {
  const [first, second, candidate] = await Promise.all([
    readRecord({ scope, coll, id: one }, signal),
    readRecord({ scope, coll, id: other }, signal),
    readRecord(candidateKey(scope, one, other), signal),
  ]);
  return first === null || second === null ? null : { one: first, other: second, candidate };
}

/** Which of the two leads to the other by now; `null` where both stand for themselves. */
export function mergedFrom({ one, other }: Two): RecordRow | null {
  const redirect = redirectOf(one.coll) ?? '';
  if (text(one.fields, redirect) === other.id) return one;
  return text(other.fields, redirect) === one.id ? other : null;
}

function stateEdit(candidate: RecordRow | null, state: string): Edit[] {
  if (candidate === null) return [];
  const { scope, coll, id, seq } = candidate;
  return [{ scope, coll, id, if_seq: seq, set: { state } }];
}

function redirectEdit({ scope, coll, id, seq }: RecordRow, into: string | null): Edit {
  return { scope, coll, id, if_seq: seq, set: { [redirectOf(coll) ?? '']: into } };
}

/** `stays` is led to from now on; both stay as they are. */
export function mergeEdits({ one, other, candidate }: Two, stays: string): Edit[] {
  const from = one.id === stays ? other : one;
  return [redirectEdit(from, stays), ...stateEdit(candidate, 'merged')];
}

/** The record that stays is not edited: somebody who leads it to the other at this moment would make a ring. */
export function mergeExpects({ one, other }: Two, stays: string): Expected[] {
  const { scope, coll, id, seq } = one.id === stays ? one : other;
  return [{ scope, coll, id, if_seq: seq }];
}

export function undoEdits(two: Two): Edit[] {
  const from = mergedFrom(two);
  return from === null ? [] : [redirectEdit(from, null), ...stateEdit(two.candidate, 'open')];
}

export function sayEdits({ candidate }: Two, state: 'distinct' | 'open'): Edit[] {
  return stateEdit(candidate, state);
}
