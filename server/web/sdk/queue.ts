// What happens to the queue of ops and to the records, each on the draft of one transaction. The rules are
// those of docs/protocol.md, "How to write a client".

import { recordHash } from './digest';
import { FRESH_PROGRESS, opKey, recordKey } from './state';
import type { Entry, Progress, Refused, StoredRecord, Told } from './state';
import type { Draft } from './tables';
import type { Clock, Edits, Fields, Op, RecordKey, Verdict } from './types';

/** So many of the ops that are done with are kept, for the list of what arrived lately. A server that was
 *  restored from a backup gets them again. */
export const KEPT_WHEN_DONE = 20;

export interface Change extends RecordKey {
  seq: number;
  fields?: Fields;
  deleted?: true;
  conflicts?: number;
}

export function isLost(op: Op): op is { n: number; lost: true } {
  return op.lost === true;
}

export function progressOf(draft: Draft): Progress {
  return draft.meta('progress')!;
}

export function update(draft: Draft, change: Partial<Progress>): Progress {
  const after = { ...progressOf(draft), ...change };
  draft.putMeta('progress', after);
  return after;
}

function putEntry(draft: Draft, entry: Entry): void {
  draft.put('ops', opKey(entry.op.n), entry);
}

/** Gives an edit the next number and puts it into the queue. */
export function enqueue(draft: Draft, key: RecordKey, edits: Edits, written: { clock: Clock; schema: number; base: number }): Op {
  const { next } = progressOf(draft);
  const op: Op = { n: next, ...key, ...written.clock, schema: written.schema, base: written.base, ...edits };
  putEntry(draft, { op, verdict: null, showing: true });
  update(draft, { next: next + 1 });
  return op;
}

/** What is to be handed in next: ops without a verdict, in order; also those that the server has answered for
 *  when the answer got lost, for only the repeated answer tells which were refused. */
export function unanswered(entries: Iterable<Entry>): Op[] {
  const ops: Op[] = [];
  for (const { op, verdict } of entries) if (verdict === null) ops.push(op);
  return ops;
}

/** It is written down that ops are handed out: only one that never left the device may get another number. */
export function noteHanded(draft: Draft, n: number): void {
  const { handed } = progressOf(draft);
  if (n > handed) update(draft, { handed: n });
}

// --- Verdicts ------------------------------------------------------------------------------------

export function takeVerdicts(draft: Draft, verdicts: Verdict[], applied: number, backedUp: number | null): void {
  for (const verdict of verdicts) takeVerdict(draft, verdict);
  update(draft, { applied, backedUp });
  dropWhatIsDone(draft);
}

// The op may have been dropped already, when the verdict is a repeated one.
function takeVerdict(draft: Draft, verdict: Verdict): void {
  const entry = draft.get('ops', opKey(verdict.n)) as Entry | undefined;
  if (verdict.refused && entry !== undefined && entry.verdict === null && !isLost(entry.op)) {
    draft.put('refused', opKey(verdict.n), { op: entry.op, refused: verdict.refused } satisfies Refused);
  }
  if (entry === undefined) return;
  putEntry(draft, { ...entry, verdict, showing: verdict.ok === true && !isLost(entry.op) && !holdsAtLeast(draft, entry.op, verdict.seq) });
}

function holdsAtLeast(draft: Draft, key: RecordKey, seq: number): boolean {
  return ((draft.get('records', recordKey(key)) as StoredRecord | undefined)?.seq ?? 0) >= seq;
}

/** An op is kept until it has a verdict, is in a backup (where there is one), and is no longer shown. */
export function dropWhatIsDone(draft: Draft): void {
  const { applied, backedUp, next } = progressOf(draft);
  for (const { op, verdict, showing } of draft.queue()) {
    const isSafe = verdict !== null && op.n <= applied && (backedUp === null || op.n <= backedUp);
    if (isSafe && !showing && op.n < next - KEPT_WHEN_DONE) draft.remove('ops', opKey(op.n));
  }
}

// --- Welcome -------------------------------------------------------------------------------------

export interface Welcome {
  server: { incarnation: string; time: number };
  applied: number;
  backed_up: number | null;
  scopes: string[];
  draining?: true;
  limits: { frame_bytes: number; ops: number; page: number };
}

export function takeWelcome(draft: Draft, welcome: Welcome): void {
  const before = progressOf(draft);
  const { incarnation } = welcome.server;
  // Verdicts of another incarnation count for nothing, except as far as `applied` says so.
  if (incarnation !== before.incarnation) forgetVerdictsAfter(draft, welcome.applied);
  // More is applied than this storage ever handed out: it is an older copy of itself, and its own new ops carry
  // numbers that are taken.
  if (welcome.applied > before.handed) renumber(draft, before.handed + 1, welcome.applied + 1);
  fillGaps(draft, welcome.applied + 1);
  const after = progressOf(draft);
  const renewed = incarnation === before.incarnation ? {} : { reflected: 0, reflecting: null };
  update(draft, { ...renewed, incarnation, scopes: welcome.scopes, applied: welcome.applied, backedUp: welcome.backed_up,
                  handed: Math.max(after.handed, welcome.applied), draining: welcome.draining === true });
  dropWhatIsDone(draft);
}

function forgetVerdictsAfter(draft: Draft, applied: number): void {
  for (const entry of draft.queue()) {
    if (entry.op.n <= applied || entry.verdict === null) continue;
    putEntry(draft, { ...entry, verdict: null, showing: !isLost(entry.op) });
    // It will be refused again, or not, by the server that there is now.
    draft.remove('refused', opKey(entry.op.n));
  }
}

/** After a restore on the server the ops that it lost may be gone here too. A number is used once, so each of
 *  theirs is handed in with the word that its op is lost; the office sees it. */
export function fillGaps(draft: Draft, expected: number): void {
  const { next } = progressOf(draft);
  for (let n = expected; n < next; n++) {
    if (draft.get('ops', opKey(n)) === undefined) putEntry(draft, { op: { n, lost: true }, verdict: null, showing: false });
  }
}

/** Gives the ops from number `from` on the numbers `to`, `to` + 1 … */
export function renumber(draft: Draft, from: number, to: number): void {
  if (from === to) return;
  const moved = draft.queue().filter(({ op }) => op.n >= from);
  for (const { op } of moved) draft.remove('ops', opKey(op.n));
  moved.forEach((entry, i) => putEntry(draft, { ...entry, op: { ...entry.op, n: to + i } }));
  const { handed, reflected } = progressOf(draft);
  update(draft, { next: to + moved.length, handed: Math.min(handed, to - 1), reflected: Math.min(reflected, to - 1) });
}

/** The device gets a new name: what it holds is handed in under that, numbered from 1. What was refused may not be
 *  any more, and is handed in with the rest. */
export function beginAnew(draft: Draft, fresh: { incarnation: string; scopes: string[] }): void {
  const refused = draft.list('refused').map(([, one]) => (one as Refused).op);
  const queued = draft.queue().filter(({ verdict }) => !verdict?.refused).map(({ op }) => op);
  const kept = [...refused, ...queued].filter((op) => !isLost(op)).sort((a, b) => a.n - b.n);
  for (const table of ['ops', 'refused'] as const) draft.removeAll(table, '');
  forgetRecords(draft);
  for (const key of ['stopped', 'wipe', 'wiped'] as const) draft.putMeta(key, undefined);
  kept.forEach((op, i) => putEntry(draft, { op: { ...op, n: i + 1 }, verdict: null, showing: true }));
  draft.putMeta('progress', { ...FRESH_PROGRESS, ...fresh, next: kept.length + 1 });
}

// --- Changes -------------------------------------------------------------------------------------

/** `hash` as of `hashOf`, which takes its time and is therefore done beforehand. */
export function takeChange(draft: Draft, change: Change, hash: string): void {
  draft.put('records', recordKey(change), { ...change, hash } satisfies StoredRecord);
}

export function hashOf(change: Change): string {
  return change.deleted ? '' : recordHash({ ...change, fields: change.fields ?? {} });
}

/** A pull, page by page, brings what there was when it began. What had been applied by then is in it, also where
 *  no record comes to show it: one that this role does not see. */
export function noteFirstPage(draft: Draft): void {
  const { reflecting, applied } = progressOf(draft);
  if (reflecting === null) update(draft, { reflecting: applied });
}

export function noteLastPage(draft: Draft): void {
  const { reflecting } = progressOf(draft);
  if (reflecting === null) return;
  stopShowing(draft, ({ op, verdict }) => verdict !== null && op.n <= reflecting);
  update(draft, { reflected: reflecting, reflecting: null, filling: null });
}

export function stopShowingWhatHasCome(draft: Draft): void {
  stopShowing(draft, ({ op, verdict }) => verdict?.ok === true && !isLost(op) && holdsAtLeast(draft, op, verdict.seq));
}

function stopShowing(draft: Draft, isOver: (entry: Entry) => boolean): void {
  for (const entry of draft.queue()) if (entry.showing && isOver(entry)) putEntry(draft, { ...entry, showing: false });
}

/** Ops that still wait are kept and shown; the record of one with a verdict will not come any more. */
export function forgetScope(draft: Draft, scope: string): void {
  stopShowing(draft, ({ op, verdict }) => verdict !== null && !isLost(op) && op.scope === scope);
  draft.removeAll('records', `${scope} `);
  draft.remove('digests', scope);
}

export function forgetRecords(draft: Draft): void {
  draft.removeAll('records', '');
  draft.removeAll('digests', '');
}

export function startFromNothing(draft: Draft): void {
  forgetRecords(draft);
  update(draft, { cursor: '', reflecting: null, filling: 0 });
}

/** The scope's digest agreed: the device holds all of it up to `seq`. */
export function noteDigest(draft: Draft, scope: string, seq: number): void {
  draft.put('digests', scope, { seq } satisfies Told);
}

// --- Personal data ---

/** The fields of a collection that are personal. */
export type Personal = (coll: string) => readonly string[];

/** Somebody's record shows nothing personal any more, for they were erased, or a verdict says that they were: then
 *  it goes from this device's own ops too. Those are answered, so nobody waits for the values; one that a restored
 *  server gets again is refused for such a person in any case. */
export function forgetPersonal(draft: Draft, personal: Personal): void {
  for (const entry of draft.queue()) {
    if (entry.verdict === null) continue;
    const op = withoutPersonal(draft, entry.op, entry.verdict.refused?.code, personal);
    if (op !== entry.op) putEntry(draft, { ...entry, op });
  }
  for (const [key, one] of draft.list('refused') as [string, Refused][]) {
    const op = withoutPersonal(draft, one.op, one.refused.code, personal);
    if (op !== one.op) draft.put('refused', key, { ...one, op } satisfies Refused);
  }
}

/** The op itself where there is nothing to forget. */
function withoutPersonal(draft: Draft, op: Op, code: string | undefined, personal: Personal): Op {
  if (isLost(op) || op.set === undefined) return op;
  const fields = personal(op.coll);
  const told = fields.filter((field) => op.set?.[field] != null);
  if (told.length === 0 || !(code === 'person.erased' || showsNone(draft, op, fields))) return op;
  return { ...op, set: { ...op.set, ...Object.fromEntries(told.map((field) => [field, null])) } };
}

function showsNone(draft: Draft, key: RecordKey, fields: readonly string[]): boolean {
  const record = draft.get('records', recordKey(key)) as StoredRecord | undefined;
  return record !== undefined && fields.every((field) => record.fields?.[field] == null);
}

// --- Leaving -------------------------------------------------------------------------------------

/** Removes all that the device holds, but for who it is: that is needed once more, to say so. */
export function wipe(draft: Draft, now: boolean): void {
  const discarded = unanswered(draft.queue()).length;
  const { incarnation } = progressOf(draft);
  for (const table of ['ops', 'records', 'digests', 'refused', 'carried'] as const) draft.removeAll(table, '');
  draft.putMeta('progress', { ...progressOf(draft), next: 1, handed: 0, applied: 0, backedUp: null, cursor: '',
                              reflected: 0, reflecting: null, incarnation, scopes: [], filling: null });
  draft.putMeta('wipe', { now, discarded });
}

/** The office knows that all is removed: the device forgets who it was. */
export function forgetIdentity(draft: Draft): void {
  for (const key of ['identity', 'wipe', 'progress', 'stopped'] as const) draft.putMeta(key, undefined);
  draft.putMeta('wiped', true);
}
