// The way of an edit into the queue: checked and shown at once, then written; those that come while one
// transaction is under way go together into the next.

import { ApiError } from './api';
import { canonical } from './canonical';
import * as queue from './queue';
import type { CollectionInfo } from './schema';
import type { Pending, Shown } from './shown';
import { recordKey } from './state';
import type { StoredRecord, Told } from './state';
import type { Store } from './store';
import type { Draft } from './tables';
import type { Clock, Edits, Json, Op, RecordKey, SyncStatus } from './types';

export type KnownCollections = Readonly<Record<string, Pick<CollectionInfo, 'version' | 'key'> & Partial<Pick<CollectionInfo, 'fields'>>>>;

// So many calls that wait for one another become one transaction.
const CALLS_AT_ONCE = 50;

interface Call {
  edits: (Pending & { schema: number; base: number })[];
  clock: Clock;
  resolve: (ops: Op[]) => void;
  reject: (error: unknown) => void;
}

export interface EditWriterOptions {
  store: Store;
  shown: Shown;
  clock: () => Clock;
  collections: KnownCollections;
  leaseLeft: (key: RecordKey, field: string) => number;
  /** What is shown has changed. */
  onShown: () => void;
  /** There is something to hand in. */
  onKept: () => void;
}

export class EditWriter {
  readonly #options: EditWriterOptions;
  #waiting: Call[] = [];
  #isWriting = false;

  constructor(options: EditWriterOptions) {
    this.#options = options;
  }

  /** Not async: a refusal aside, all is on show when the call returns. */
  write(edits: [RecordKey, Edits][], standing: SyncStatus['standing']): Promise<Op[]> {
    try {
      refuseEdits(standing);
      for (const [key, one] of edits) this.#check(key, one);
    } catch (error) {
      return Promise.reject(error);
    }
    const clock = this.#options.clock();
    const pending = edits.map(([{ scope, coll, id }, one]) => {
      const key = { scope, coll, id };
      return { key, edits: copyOf(one), wall: clock.wall, schema: this.#options.collections[coll]?.version ?? 1, base: this.#baseOf(key) };
    });
    for (const one of pending) this.#options.shown.addPending(one);
    this.#options.onShown();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ edits: pending, clock, resolve, reject });
      void this.#writeAll();
    });
  }

  #check(key: RecordKey, edits: Edits): void {
    if (Object.keys(edits).length === 0) throw new ApiError('op.invalid', 'no edit');
    try {
      canonical(edits as Json);
      if (hasUnsafeNumber(edits as Json)) throw new Error('an integer beyond 2^53-1');
    } catch (error) {
      throw new ApiError('op.invalid', error instanceof Error ? error.message : '');
    }
    for (const [field, amount] of Object.entries({ ...edits.spend, ...edits.return })) {
      if (amount > this.#options.leaseLeft(key, field)) throw new ApiError('quota.exceeded', field);
    }
  }

  // What the author sees now. An id that devices make for themselves has never been anywhere else; one that a key
  // makes may have been deleted, and the device knows that it is not there any more.
  #baseOf(key: RecordKey): number {
    const { tables } = this.#options.store;
    const record = tables.get('records', recordKey(key)) as StoredRecord | undefined;
    if (record !== undefined) return record.seq;
    if (this.#options.collections[key.coll]?.key === undefined) return 0;
    return (tables.get('digests', key.scope) as Told | undefined)?.seq ?? 0;
  }

  async #writeAll(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) await this.#writeSome(this.#waiting.splice(0, CALLS_AT_ONCE));
    this.#isWriting = false;
  }

  async #writeSome(calls: Call[]): Promise<void> {
    const { store, shown, onShown, onKept } = this.#options;
    const stopShowing = () => {
      for (const { edits } of calls) for (const one of edits) shown.removePending(one);
    };
    try {
      const outcomes = await store.change((draft) => calls.map((call) => enqueue(draft, call)), { onTaken: stopShowing });
      calls.forEach((call, i) => settle(call, outcomes[i]!));
      onKept();
    } catch (error) {
      stopShowing();
      for (const { reject } of calls) reject(error);
    }
    onShown();
  }
}

function refuseEdits(standing: SyncStatus['standing']): void {
  if (standing === 'draining') throw new ApiError('device.draining');
  if (standing === 'wiping' || standing === 'wiped') throw new ApiError('device.wiped');
  if (standing === 'new') throw new ApiError('auth.required');
}

function enqueue(draft: Draft, { edits, clock }: Call): Op[] | ApiError {
  // Another program, or the server, may have changed it since the call.
  if (draft.meta('identity') === undefined || draft.meta('wipe') !== undefined) return new ApiError('device.wiped');
  if (queue.progressOf(draft).draining) return new ApiError('device.draining');
  return edits.map(({ key, edits: one, schema, base }) => queue.enqueue(draft, key, one, { clock, schema, base }));
}

function settle({ resolve, reject }: Call, outcome: Op[] | ApiError): void {
  if (outcome instanceof ApiError) reject(outcome);
  else resolve(outcome);
}

// Such a number has no canonical text that all agree on; the op could not be handed over in a file.
function hasUnsafeNumber(value: Json): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return value !== null && typeof value === 'object' && Object.values(value).some(hasUnsafeNumber);
}

// So that nobody changes an op by changing what it was made of.
function copyOf(edits: Edits): Edits {
  return JSON.parse(JSON.stringify(edits)) as Edits;
}
