// A person's edits: handed in once, against what the page showed. What the server does not take is thrown as
// an ApiError under the code of its refusal.

import type { Edits, RecordKey } from '../sdk/types';
import { ApiError, post } from './api';
import { sawDesk } from './device_names';
import { infoOf } from './names';

/** One edit. `if_seq`: the record's seq as the page showed it, 0 where it was not there. */
export type Edit = RecordKey & Edits & { if_seq?: number; base?: number; schema?: number };

/** A record that is not edited, and is to be as the page showed it all the same. */
export type Expected = RecordKey & { if_seq: number };

type Verdict = { ok: true; n: number; seq: number } | { n?: number; refused: { code: string; detail: string } };

interface EditsReply {
  device: string;
  results: Verdict[];
}

export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What was sent last without an answer: tried again under the same name, it is applied once. */
let unanswered: { ops: string; request: string } | null = null;

/** The records' seqs after the edits. Throws `edit.changed` where somebody else was faster: nothing is applied. */
export async function handIn(edits: readonly Edit[], expect: readonly Expected[] = []): Promise<number[]> {
  const ops = edits.map((edit) => ({ schema: infoOf(edit.coll)?.version ?? 1, ...edit }));
  const asked = expect.length === 0 ? { ops } : { ops, expect };
  const text = JSON.stringify(asked);
  const request = unanswered?.ops === text ? unanswered.request : randomName();
  unanswered = { ops: text, request };
  const reply = await post<EditsReply>('/v1/edits', { request, ...asked }).catch((error: unknown) => {
    if (error instanceof ApiError && error.code !== 'away' && error.status < 500) unanswered = null;
    throw error;
  });
  unanswered = null;
  void sawDesk(reply.device);
  return reply.results.map((verdict) => {
    if ('refused' in verdict) throw new ApiError(verdict.refused.code, 409, verdict.refused.detail);
    return verdict.seq;
  });
}

export function isChanged(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'edit.changed';
}

const EPOCH_MS = Date.UTC(2024, 0, 1);

/** When the server took it in: a seq holds its milliseconds in the upper bits. */
export function timeOfSeq(seq: number): number {
  return Math.floor(seq / 4096) + EPOCH_MS;
}
