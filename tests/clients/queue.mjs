// What happens to the queue of ops and to the records, each inside a transaction of the storage.
// An entry of the queue is {op, verdict, showing}: the verdict is null while none has come, and an op
// is shown over its record until the record has come with it.

import { ScopeDigest } from './canonical.mjs';

export function opKey(n) {
  return String(n).padStart(16, '0');
}

// No part of it may hold a space, so a space keeps the parts apart.
export function recordKey({ scope, coll, id }) {
  return `${scope} ${coll} ${id}`;
}

function allEntries(tx) {
  return tx.list('ops').map(([, entry]) => entry);
}

function putEntry(tx, entry) {
  tx.put('ops', opKey(entry.op.n), entry);
}

// An op with this verdict may have been dropped already, when the verdict is a repeated one.
export function takeVerdict(tx, verdict) {
  const entry = tx.get('ops', opKey(verdict.n));
  if (verdict.refused) keepRefusal(tx, verdict, entry);
  if (!entry) return;
  putEntry(tx, { ...entry, verdict, showing: !verdict.refused && !holdsAtLeast(tx, entry.op, verdict.seq) });
}

function keepRefusal(tx, { n, refused }, entry) {
  const key = `refused ${opKey(n)}`;
  if (tx.get('meta', key) === undefined) tx.put('meta', key, { op: entry?.op ?? { n }, refused });
}

function holdsAtLeast(tx, record, seq) {
  return (tx.get('records', recordKey(record))?.seq ?? 0) >= seq;
}

export function takeChange(tx, change) {
  const key = recordKey(change);
  const digest = new ScopeDigest(tx.get('digests', change.scope));
  const before = tx.get('records', key);
  if (before && !before.deleted) digest.subtract(before);
  if (!change.deleted) digest.add(change);
  // A deleted record is kept too: its seq is the `base` of an edit that brings it back.
  tx.put('records', key, change);
  tx.put('digests', change.scope, digest.toString());
}

function stopShowing(tx, isOver) {
  for (const entry of allEntries(tx)) {
    if (entry.showing && isOver(entry)) putEntry(tx, { ...entry, showing: false });
  }
}

export function stopShowingWhatHasCome(tx) {
  stopShowing(tx, ({ op, verdict }) => verdict?.ok && holdsAtLeast(tx, op, verdict.seq));
}

// A pull, page by page, brings what there was when it began. What had been applied by then is in it,
// also where no record comes to show it: one that was written and deleted offline, or whose verdict
// got lost.
export function noteFirstPage(tx) {
  const progress = tx.get('meta', 'progress');
  if (progress.reflecting === null) tx.put('meta', 'progress', { ...progress, reflecting: progress.applied });
}

export function noteLastPage(tx) {
  const progress = tx.get('meta', 'progress');
  stopShowing(tx, ({ op }) => op.n <= progress.reflecting);
  tx.put('meta', 'progress', { ...progress, reflected: progress.reflecting, reflecting: null });
}

// An op is kept until it is applied, in a backup (where there is one), and no longer shown.
export function dropWhatIsDone(tx, { backed_up: backedUp = null }) {
  const { applied } = tx.get('meta', 'progress');
  for (const { op, showing } of allEntries(tx)) {
    const isSafe = op.n <= applied && (backedUp === null || op.n <= backedUp);
    if (isSafe && !showing) tx.remove('ops', opKey(op.n));
  }
  tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), backedUp });
}

export function forgetVerdictsAfter(tx, applied) {
  for (const entry of allEntries(tx)) {
    if (entry.op.n > applied) putEntry(tx, { ...entry, verdict: null, showing: !entry.op.lost });
  }
}

// After a restore on the server the ops that it lost may be gone here too. A number is used once, so
// each of theirs is handed in with the word that its op is lost; the office sees it.
export function fillGaps(tx, expected) {
  const { next } = tx.get('meta', 'progress');
  for (let n = expected; n < next; n++) {
    if (tx.get('ops', opKey(n)) === undefined) putEntry(tx, { op: { n, lost: true }, verdict: null, showing: false });
  }
}

// Gives the ops from number `from` on the numbers `to`, `to` + 1 …
export function renumber(tx, from, to) {
  if (from === to) return;
  const moved = allEntries(tx).filter(({ op }) => op.n >= from);
  for (const { op } of moved) tx.remove('ops', opKey(op.n));
  moved.forEach((entry, i) => putEntry(tx, { ...entry, op: { ...entry.op, n: to + i } }));
  const progress = tx.get('meta', 'progress');
  const noHigher = (n) => Math.min(n, to - 1);
  tx.put('meta', 'progress', { ...progress, next: to + moved.length, handed: noHigher(progress.handed), reflected: noHigher(progress.reflected) });
}

// Ops that still wait are kept and shown; the record of one with a verdict will not come any more.
export function forgetScope(tx, scope) {
  stopShowing(tx, ({ op, verdict }) => op.scope === scope && verdict !== null);
  for (const [key] of tx.list('records', `${scope} `)) tx.remove('records', key);
  tx.remove('digests', scope);
}

export function forgetRecords(tx) {
  for (const table of ['records', 'digests']) for (const [key] of tx.list(table)) tx.remove(table, key);
}
