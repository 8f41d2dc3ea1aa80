// What a program that keeps records offline and syncs them sees of the SDK: the shapes of
// docs/protocol.md, and the interfaces to a platform's storage, network and clocks. The protocol's rules
// live behind `Device` (device.ts); nothing here touches a platform.

/** A JSON value as it stands in a field. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = Record<string, Json>;

/** Which record: a natural key's id is its parts joined by "~". */
export interface RecordKey {
  scope: string;
  coll: string;
  id: string;
}

/** A record as it is shown: the server's state with the device's own ops laid over it. */
export interface ShownRecord extends RecordKey {
  /** Of the server's state; 0 while only this device knows the record. */
  seq: number;
  fields: Fields;
  /** Values of the record that lost and wait for review. */
  conflicts: number;
  /** Edits of it on this device that the server has not answered for yet. */
  waiting: number;
}

/** What one op does; at least one of them, and each field at most once (`add` and `remove` may share one). */
export interface Edits {
  set?: Fields;
  inc?: Record<string, number>;
  add?: Record<string, Json[]>;
  remove?: Record<string, Json[]>;
  append?: Record<string, Json[]>;
  lease?: Record<string, number>;
  spend?: Record<string, number>;
  return?: Record<string, number>;
  grant?: Record<string, number>;
  reclaim?: Record<string, string>;
  settle?: LostValue[];
  reopen?: LostValue[];
  /** This op is the corrected form of a refused one. */
  replays?: { device: string; n: number };
  del?: true;
}

/** Names a value that lost and waits for review. */
export interface LostValue {
  field: string;
  by: string;
  n: number;
  part?: number;
}

export interface Clock {
  /** ms since 1970 by the calendar clock; ms since the machine was switched on; new at each start. */
  wall: number;
  mono: number;
  boot: string;
}

/** An op as it goes over the wire. One that got lost with its number keeps `n` and `lost` alone. */
export type Op =
  | (RecordKey & Clock & Edits & { n: number; schema: number; base: number; lost?: undefined })
  | { n: number; lost: true };

export type Verdict =
  | { n: number; ok: true; seq: number; refused?: undefined; lost?: string[]; leased?: Record<string, number> }
  | { n: number; ok?: undefined; refused: Refusal };

export interface Refusal {
  code: string;
  detail: string;
}

/** Where an edit stands on its way; "backed_up" comes only where the server has a backup set up. */
export type OpState = 'waiting' | 'sent' | 'applied' | 'backed_up' | 'refused';

/** One of the device's own edits, for a list of them: the newest last. */
export interface OwnOp {
  op: Op;
  state: OpState;
  refused?: Refusal;
  /** Fields whose value lost to one that this edit had not seen. */
  lost?: string[];
}

/** Another device's edits that this one hands in, for a list of them. */
export interface CarriedOps {
  device: string;
  waiting: number;
  applied: number;
  refused: { n: number; refused: Refusal }[];
  /** Why they could not be handed in yet, or null. */
  trouble: string | null;
}

/** What the sync line says. It changes only with a receipt, never by a timeout. */
export interface SyncStatus {
  device: string | null;
  /** No device id yet; enrolled; handing in only; to be wiped; shut out; wiped. */
  standing: 'new' | 'active' | 'draining' | 'wiping' | 'closed' | 'wiped';
  /** `offline`: no connection; `syncing`: connected and not done; `live`: all told, changes come by themselves. */
  connection: 'offline' | 'connecting' | 'syncing' | 'live';
  /** Ops without a verdict, and the wall time of the oldest (null when none). */
  waiting: number;
  oldest: number | null;
  /** Highest own op with a verdict, and the highest that was ever given. */
  applied: number;
  last: number;
  /** Highest own op in a backup; null where the server has none set up. */
  backedUp: number | null;
  /** Own ops that were refused and that the user has not put away yet. */
  refused: number;
  /** Wall time of the last receipt or completed pull. */
  lastContact: number | null;
  /** Corrected: the server's time minus this device's, in ms; null before the first welcome. */
  skew: number | null;
  /** A first sync is under way: how many records have come so far; null otherwise. */
  filling: number | null;
  /** Whether the platform keeps the data under storage pressure: null while unknown. */
  persistent: boolean | null;
  /** Why nothing goes on (a stable code of docs/errors.md), or null. */
  stopped: string | null;
  /** What hindered the last attempt to sync, or null. */
  trouble: string | null;
}

// --- What a platform gives -----------------------------------------------------------------------

/** The tables of a device; state.ts says what lies in each. */
export type Table = 'meta' | 'ops' | 'records' | 'digests' | 'refused' | 'carried' | 'journal' | 'files';

export interface ReadTx {
  get(table: Table, key: string): Promise<unknown>;
  /** Pairs in order of key, of those that begin with `prefix`, at most `limit`, behind the key `after`. */
  list(table: Table, prefix?: string, limit?: number, after?: string): Promise<[string, unknown][]>;
}

export interface WriteTx extends ReadTx {
  put(table: Table, key: string, value: unknown): void;
  remove(table: Table, key: string): void;
  /** Removes all whose key begins with `prefix`. */
  removeAll(table: Table, prefix: string): void;
}

/** Where a device keeps what it must not lose. A transaction is durable when its promise is fulfilled, and has
 *  not happened at all when it is rejected; `change` awaits nothing but the transaction's own calls. Rejects
 *  with `ApiError` `storage.full` where there is no room. Calls of `write` happen one after the other, also
 *  those of several programs on the same storage. */
export interface Storage {
  read<T>(task: (tx: ReadTx) => Promise<T>): Promise<T>;
  /** `relaxed`: may be lost in a power cut as long as nothing behind it is kept. */
  write<T>(change: (tx: WriteTx) => Promise<T>, options?: { relaxed?: boolean }): Promise<T>;
  /** Asks that the data be kept under storage pressure; whether it will be. */
  persist(): Promise<boolean>;
  close(): void;
}

/** The network. A rejected promise means: no answer came, and whether the server has taken it is unknown. */
export interface Transport {
  request(method: string, url: string, options: {
    headers?: Record<string, string>;
    body?: string;
    timeoutMs: number;
  }): Promise<{ status: number; headers: (name: string) => string | null; text: string }>;
  /** Opens a WebSocket; the handlers are called until `onClose`, which comes exactly once. */
  connect(url: string, handlers: {
    onOpen(): void;
    onMessage(text: string): void;
    onClose(code: number): void;
  }): { send(text: string): void; close(): void };
}

/** What one program tells the others on its storage: that it has stored something; how the one that syncs is
 *  connected; that a new one would like to know. */
export type NeighbourMessage =
  | { kind: 'changed' }
  | { kind: 'link'; link: Link }
  | { kind: 'who' };

/** How the program that syncs is connected. */
export interface Link {
  connection: SyncStatus['connection'];
  trouble: string | null;
}

/** Several programs (tabs) on one storage: one of them syncs, all of them see each edit. */
export interface Neighbours {
  /** Calls `lead` once this program is the one that syncs, and `lost` should another take the place; the
   *  returned function gives it up. `take`: does not wait for the one that has it. */
  elect(lead: () => void, lost: () => void, take?: boolean): () => void;
  announce(message: NeighbourMessage): void;
  onMessage(handler: (message: NeighbourMessage) => void): void;
  close(): void;
}

/** All that a device asks of the machine it runs on. */
export interface Platform {
  storage: Storage;
  transport: Transport;
  clock(): Clock;
  /** Random bytes that nobody can guess. */
  random(count: number): Uint8Array;
  /** Absent where nothing else can work on the storage. */
  neighbours?: Neighbours;
}
