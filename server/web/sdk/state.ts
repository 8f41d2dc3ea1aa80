// What lies in a device's tables, and under which keys.
//
//   meta      identity, progress, enrolling, wipe, stopped, leader, rev
//   ops       the queue: Entry, by number
//   records   StoredRecord, as the server sent it last, deleted ones too (the seq of a deleted record is the
//             base of an edit that brings it back), by scope, collection and id
//   digests   Told, by scope
//   refused   Refused, by number: what the user has not put away yet
//   carried   Carried, by device and number: other devices' ops that are to be handed in
//   journal   Touched, by number of the transaction: what other programs on this storage read anew
//   files     the pages' own

import type { Mirrored } from './tables';
import type { Fields, Op, RecordKey, Refusal, Verdict } from './types';

export interface Identity {
  server: string;
  device: string;
  token: string;
  role: string | null;
}

export interface Progress {
  /** Number of the next op; the highest that ever left the device; the highest that has a verdict. */
  next: number;
  handed: number;
  applied: number;
  /** Highest own op in a backup, null where none is set up. */
  backedUp: number | null;
  cursor: string;
  /** The highest n whose effect is in the records, and the one that will be once the pull under way has come
   *  to its end; null when none is. */
  reflected: number;
  reflecting: number | null;
  incarnation: string;
  scopes: string[];
  draining: boolean;
  /** Records that have come since the first pull from nothing, while that is under way. */
  filling: number | null;
  /** A digest differed and all was fetched anew; a second one in a row is reported, not fetched again. */
  afresh: boolean;
  lastContact: number | null;
  skew: number | null;
}

export const FRESH_PROGRESS: Progress = {
  next: 1, handed: 0, applied: 0, backedUp: null, cursor: '', reflected: 0, reflecting: null, incarnation: '',
  scopes: [], draining: false, filling: 0, afresh: false, lastContact: null, skew: null,
};

/** An op of the queue. `verdict` is null while none has come; it is shown over its record until the record has
 *  come with it. */
export interface Entry {
  op: Op;
  verdict: Verdict | null;
  showing: boolean;
}

/** `hash` is the SHA-256 of the record's canonical text, in hex; empty for a deleted one. */
export interface StoredRecord extends RecordKey {
  seq: number;
  fields?: Fields;
  deleted?: true;
  conflicts?: number;
  hash: string;
}

/** The digest that the server told last for a scope, once what the device holds agreed with it. */
export interface Told {
  seq: number;
}

export interface Refused {
  op: Op;
  refused: Refusal;
}

/** A part of another device's queue, as it came in its file, and what became of it. */
export interface Carried {
  device: string;
  ops: Op[];
  mac: string;
  /** Once the server has given its verdicts. */
  results?: Verdict[];
  /** Why it could not be handed in. */
  trouble?: string;
}

/** The office's order, or the user's wish, to remove everything; `discarded` stands there once it is done. */
export interface Wipe {
  now: boolean;
  discarded?: number;
}

/** What a transaction changed: first all keys that begin so went, then these were put or removed. */
export interface Touched {
  cleared: [Mirrored, string][];
  keys: [Mirrored, string][];
}

export interface MetaTypes {
  identity: Identity;
  progress: Progress;
  enrolling: { code: string; request: string };
  wipe: Wipe;
  wiped: true;
  stopped: string;
  leader: string;
  rev: number;
}

export function opKey(n: number): string {
  return String(n).padStart(16, '0');
}

export function parsedKey(key: string): RecordKey {
  const [scope = '', coll = '', id = ''] = key.split(' ');
  return { scope, coll, id };
}

/** No part of it may hold a space, so a space keeps the parts apart. */
export function recordKey({ scope, coll, id }: RecordKey): string {
  return `${scope} ${coll} ${id}`;
}
