// A device's tables in IndexedDB: an object store each, keys are strings. Nothing is told as done before the
// browser has it on the disk.

import { openDB, unwrap } from 'idb';
import type { IDBPDatabase, IDBPTransaction } from 'idb';
import { ApiError } from './api';
import type { ReadTx, Storage, Table, WriteTx } from './types';

const TABLES: Table[] = ['meta', 'ops', 'records', 'digests', 'refused', 'carried', 'journal', 'files'];
const LAYOUT_VERSION = 1;
// Above every character that a key may hold.
const LAST = '\uffff';

export class IndexedDbStorage implements Storage {
  readonly #name: string;
  #db: Promise<IDBPDatabase> | null = null;
  #closed = false;

  constructor(name: string) {
    this.#name = name;
  }

  // The browser may close a database by itself (its data were cleared, another version of the page came).
  #open(): Promise<IDBPDatabase> {
    if (this.#closed) return Promise.reject(new ApiError('storage.closed'));
    this.#db ??= openDB(this.#name, LAYOUT_VERSION, {
      upgrade: (db) => TABLES.filter((table) => !db.objectStoreNames.contains(table)).forEach((table) => db.createObjectStore(table)),
      blocking: () => void this.#db?.then((db) => db.close(), () => {}).then(() => (this.#db = null)),
      terminated: () => (this.#db = null),
    }).catch((error: unknown) => {
      this.#db = null;
      throw asApiError(error);
    });
    return this.#db;
  }

  async read<T>(task: (tx: ReadTx) => Promise<T>): Promise<T> {
    const tx = await this.#begin('readonly');
    return task(reader(tx));
  }

  async write<T>(change: (tx: WriteTx) => Promise<T>, { relaxed = false } = {}): Promise<T> {
    const tx = await this.#begin('readwrite', relaxed ? 'relaxed' : 'strict');
    const done = tx.done;
    // Its failing is told below.
    done.catch(() => {});
    try {
      const result = await change(writer(tx));
      tx.commit();
      await done;
      return result;
    } catch (error) {
      abort(tx);
      // What made a request fail says more than that the transaction was aborted.
      const reason: unknown = await done.then(() => error, (why: unknown) => tx.error ?? why);
      throw asApiError(isAbort(reason) || error instanceof ApiError ? error : (reason ?? error));
    }
  }

  async #begin(mode: 'readonly' | 'readwrite', durability?: 'strict' | 'relaxed') {
    const options = durability === undefined ? {} : { durability };
    try {
      return (await this.#open()).transaction(TABLES, mode as 'readwrite', options);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'InvalidStateError') throw asApiError(error);
      this.#db = null;
      return (await this.#open()).transaction(TABLES, mode as 'readwrite', options);
    }
  }

  async persist(): Promise<boolean> {
    const storage = (globalThis.navigator as Navigator | undefined)?.storage;
    if (storage?.persist === undefined) return false;
    return (await storage.persisted()) || (await storage.persist());
  }

  close(): void {
    this.#closed = true;
    void this.#db?.then((db) => db.close(), () => {});
  }
}

type AnyTx = IDBPTransaction<unknown, string[], 'readwrite'>;

function reader(tx: AnyTx): ReadTx {
  return {
    get: (table, key) => tx.objectStore(table).get(key),
    list: async (table, prefix = '', limit, after) => {
      const store = tx.objectStore(table);
      const range = after === undefined ? rangeOf(prefix) : IDBKeyRange.bound(after, prefix + LAST, true);
      const [keys, values] = await Promise.all([store.getAllKeys(range, limit), store.getAll(range, limit)]);
      return keys.map((key, i) => [String(key), values[i]]);
    },
  };
}

// The transaction's end tells of a request that fails, so nobody waits for one: without a promise for each a page
// of records costs a slow phone a third of the time.
function writer(tx: AnyTx): WriteTx {
  const bare = unwrap(tx);
  const stores = new Map<Table, IDBObjectStore>();
  const storeOf = (table: Table) => {
    let store = stores.get(table);
    if (store === undefined) stores.set(table, (store = bare.objectStore(table)));
    return store;
  };
  return {
    ...reader(tx),
    put: (table, key, value) => void storeOf(table).put(value, key),
    remove: (table, key) => void storeOf(table).delete(key),
    removeAll: (table, prefix) => void storeOf(table).delete(rangeOf(prefix)),
  };
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, prefix + LAST);
}

function abort(tx: AnyTx): void {
  try {
    tx.abort();
  } catch {
    // It has ended already.
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function asApiError(error: unknown): unknown {
  const { name, message } = (error ?? {}) as { name?: string; message?: string };
  return name === 'QuotaExceededError' ? new ApiError('storage.full', message) : error;
}
