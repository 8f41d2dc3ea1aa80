// Conflicts as the pages name them, and the edits that settle one or open it again.

import type { Edits, Json, LostValue, RecordKey } from '../sdk/types';
import { get } from './api';
import type { Edit } from './edits';
import { placeText, type Query } from './router';
import type { Conflict, ConflictRow, ConflictsReply } from './types';

export type ConflictName = RecordKey & { field: string; by: string; n: number; part?: number };

export function conflictHref({ scope, coll, id, field, by, n, part = 0 }: ConflictName): string {
  return placeText('conflicts', [scope, coll, id, field, `${by}~${n}${part === 0 ? '' : `.${part}`}`]);
}

/** What the parts of an address name; `null` where they name none. */
export function conflictAt(parts: readonly string[]): ConflictName | null {
  const [scope, coll, id, field, writer] = parts;
  const found = /^([^~]+)~(\d+)(?:\.(\d+))?$/.exec(writer ?? '');
  if (scope === undefined || coll === undefined || id === undefined || field === undefined || found === null) return null;
  return { scope, coll, id, field, by: found[1] as string, n: Number(found[2]), part: Number(found[3] ?? 0) };
}

export function readConflict({ scope, coll, id, field, by, n, part = 0 }: ConflictName, signal?: AbortSignal): Promise<Conflict> {
  return get<Conflict>('/v1/conflicts/show', { scope, coll, id, field, by, n, part }, signal);
}

const PART = 200;
const MOST_PARTS = 5;

/** The open ones of a record: the server lists them by scope. */
export async function readOpen({ scope, coll, id }: RecordKey, read: (path: string, query: Query) => Promise<ConflictsReply>): Promise<ConflictRow[]> {
  const found: ConflictRow[] = [];
  let after: string | undefined;
  for (let part = 0; part < MOST_PARTS; part++) {
    const reply = await read('/v1/conflicts', { scope, limit: PART, after });
    found.push(...reply.conflicts.filter((one) => one.coll === coll && one.id === id));
    if (!reply.next) break;
    after = reply.next;
  }
  return found;
}

function lostValue({ field, lost, part }: Conflict): LostValue {
  return { field, by: lost.by, n: lost.n, part };
}

function keyOf({ scope, coll, id }: Conflict): RecordKey {
  return { scope, coll, id };
}

/** How a value is written into a field of this kind. */
export function writing({ merge, field }: Conflict, value: Json): Edits {
  switch (merge) {
    case 'counter': return { inc: { [field]: Number(value) } };
    case 'set': return { add: { [field]: [value] } };
    case 'log': return { append: { [field]: [value] } };
    default: return { set: { [field]: value } };
  }
}

/** Ends the review: with a value that is written, or with what is on show. One that is settled is not settled again. */
export function settleEdit(conflict: Conflict, value?: Json): Edit {
  return {
    ...keyOf(conflict),
    if_seq: conflict.seq,
    ...(conflict.state === 'open' && { settle: [lostValue(conflict)] }),
    ...(value !== undefined && writing(conflict, value)),
  };
}

/** Opens it again; where the op that settled it wrote what is on show, that which it replaced comes back. */
export function reopenEdits(conflict: Conflict): Edit[] {
  const { winner, review, merge, field } = conflict;
  const edit: Edit = { ...keyOf(conflict), if_seq: conflict.seq, reopen: [lostValue(conflict)] };
  const byReview = review?.settled === true && winner?.deleted !== true && winner?.by === review.by && winner.n === review.n && winner.saw !== undefined;
  if (!byReview || merge !== 'register' || winner.saw === undefined) return [edit];
  const { saw } = winner;
  // A record that it brought back, and that nobody has touched since, is deleted again.
  if (saw.record === 'deleted' && winner.seq === conflict.seq) return [edit, { ...keyOf(conflict), base: conflict.seq, del: true }];
  return [{ ...edit, set: { [field]: saw.record === 'live' ? saw.value : null } }];
}
