// The surface of `Device` that pages build on; device.ts implements it.

import type { CarriedOps, Edits, Json, Op, OwnOp, RecordKey, ShownRecord, SyncStatus } from './types';

/** What changed since the listener was last called; `all` after a reset or another tab's work. */
export interface Change {
  all: boolean;
  records: RecordKey[];
  status: boolean;
}

export interface DeviceApi {
  // --- Who it is ---
  /** Enrols with a one-time code. Safe to repeat after a lost answer. Rejects with `ApiError`. */
  enroll(server: string, code: string, name: string): Promise<void>;
  readonly scopes: readonly string[];
  readonly role: string | null;

  /** An id for a new record (UUIDv7). */
  newId(): string;

  // --- What it shows; from memory, no waiting ---
  view(key: RecordKey): ShownRecord | undefined;
  /** All records on show of a collection, of one scope or of all, in no order. */
  list(coll: string, scope?: string): ShownRecord[];
  status(): SyncStatus;
  /** Own ops that wait, were refused, or were answered for lately, the oldest first. */
  ownOps(): OwnOp[];
  /** Returns the function that ends it. Calls come in batches, after the change is durable. */
  subscribe(listener: (change: Change) => void): () => void;

  // --- What it does ---
  /** One edit, shown at once; the promise is fulfilled when it is durable on this device. Rejects where the
   *  storage is full (`storage.full`), the device is draining (`device.draining`) or to be wiped. */
  edit(key: RecordKey, edits: Edits): Promise<Op>;
  /** Several edits, all or none. */
  editAll(edits: [RecordKey, Edits][]): Promise<Op[]>;
  /** Places of its own lease that can still be spent offline (after its own unsent spends), and its expiry. */
  leaseLeft(key: RecordKey, field: string): { left: number; expires: number | null };
  /** The user has read a refusal: it leaves the list (the server's quarantine keeps it). */
  putAway(n: number): Promise<void>;

  // --- Sync ---
  /** Connects, and stays connected, with growing pauses; until `stop`. */
  start(): void;
  stop(): void;
  /** One full exchange now; rejects with why it could not be. */
  syncNow(): Promise<void>;
  /** The network has come back: no pause any longer. */
  hurry(): void;
  /** The user has come back to this page: it is the one that syncs now. */
  comeForward(): void;

  // --- Leaving ---
  /** The queue (and photos that wait, if `files`) as a file that another device can hand in. */
  exportQueue(): Promise<Json>;
  /** Takes in another device's file; its ops go to the server under the other device's name. Returns how many. */
  importQueue(file: Json): Promise<number>;
  /** Other devices' ops that it carries or has handed in, by device. */
  carried(): CarriedOps[];
  /** Those of one device leave the list; what was not handed in is lost with it. */
  forgetCarried(device: string): Promise<void>;
  /** Hands in what waits, removes everything, tells the server. Rejects, changing nothing, while ops wait and
   *  cannot be handed in, unless `discard`. */
  signOut(options?: { discard?: boolean }): Promise<void>;
}

/** An error with a stable code (docs/errors.md, or `offline`, `storage.full`). */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly detail = '',
    readonly status = 0,
  ) {
    super(detail === '' ? code : `${code}: ${detail}`);
  }
}

/** The stable code of what went wrong. */
export function codeOf(error: unknown): string {
  return error instanceof ApiError ? error.code : 'client.failed';
}
