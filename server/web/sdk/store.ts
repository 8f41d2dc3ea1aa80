// A device's storage with its tables in memory: decides on a draft, writes it as one transaction, and takes it
// over once it is durable. Where several programs work on one storage, each transaction begins with what the
// others have done meanwhile, by the journal.

import { opKey } from './state';
import type { Touched } from './state';
import { Draft, MIRRORED, Tables } from './tables';
import type { Mirrored, Watcher } from './tables';
import type { ReadTx, Storage, WriteTx } from './types';

// So many transactions back a program can catch up; one that slept for longer reads all anew.
const JOURNAL_LENGTH = 64;
// Rows that are read in one go: so few that a slow phone does not stutter.
const ROWS_AT_ONCE = 200;

export interface ChangeOptions {
  relaxed?: boolean;
  /** Called in the moment in which the change is taken over. */
  onTaken?: () => void;
}

export class Store {
  readonly tables = new Tables();
  readonly #storage: Storage;
  readonly #watch: Watcher;
  // Tells the other programs; null where there can be none.
  readonly #announce: (() => void) | null;
  #rev = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage, watch: Watcher, announce: (() => void) | null) {
    this.#storage = storage;
    this.#watch = watch;
    this.#announce = announce;
  }

  async load(): Promise<void> {
    await this.#inTurn(async () => {
      this.#rev = await this.#storage.read(revOf);
      for (const table of MIRRORED) {
        for (let after: string | undefined; ;) {
          const rows = await this.#storage.read((tx) => tx.list(table, '', ROWS_AT_ONCE, after));
          for (const [key, value] of rows) this.tables.set(table, key, value, this.#watch);
          if (rows.length < ROWS_AT_ONCE) break;
          after = rows.at(-1)![0];
        }
      }
      await this.#storage.read((tx) => this.#catchUp(tx));
    });
  }

  /** `decide` looks at the draft, changes it, and does not wait; where it throws nothing has happened. */
  change<T>(decide: (draft: Draft) => T, options: ChangeOptions = {}): Promise<T> {
    return this.#inTurn(async () => {
      let draft: Draft | null = null;
      const result = await this.#storage.write(async (tx) => {
        await this.#catchUp(tx);
        draft = new Draft(this.tables);
        const decided = decide(draft);
        if (!draft.isEmpty) this.#write(tx, draft);
        return decided;
      }, options);
      options.onTaken?.();
      this.#take(draft!);
      return result;
    });
  }

  #take(draft: Draft): void {
    if (draft.isEmpty) return;
    draft.apply(this.#watch);
    if (this.#announce === null) return;
    this.#rev += 1;
    this.#announce();
  }

  #write(tx: WriteTx, draft: Draft): void {
    draft.writeTo(tx);
    if (this.#announce === null) return;
    tx.put('meta', 'rev', this.#rev + 1);
    tx.put('journal', opKey(this.#rev + 1), draft.touched());
    tx.remove('journal', opKey(this.#rev + 1 - JOURNAL_LENGTH));
  }

  /** Takes in what other programs have stored. */
  catchUp(): Promise<void> {
    return this.#inTurn(() => this.#storage.read((tx) => this.#catchUp(tx)));
  }

  async #catchUp(tx: ReadTx): Promise<void> {
    if (this.#announce === null) return;
    const rev = await revOf(tx);
    if (rev === this.#rev) return;
    const journal = rev > this.#rev ? await tx.list('journal', '', JOURNAL_LENGTH, opKey(this.#rev)) : [];
    if (journal.length !== rev - this.#rev) await this.#readAll(tx);
    else await this.#readTouched(tx, journal.map(([, touched]) => touched as Touched));
    this.#rev = rev;
  }

  async #readTouched(tx: ReadTx, journal: Touched[]): Promise<void> {
    const keys = new Map<string, [Mirrored, string]>();
    for (const touched of journal) {
      for (const [table, prefix] of touched.cleared) {
        for (const key of this.tables.keys(table, prefix)) this.tables.set(table, key, undefined, this.#watch);
      }
      for (const [table, key] of touched.keys) keys.set(`${table} ${key}`, [table, key]);
    }
    const values = await Promise.all([...keys.values()].map(async ([table, key]) => ({ table, key, value: await tx.get(table, key) })));
    for (const { table, key, value } of values) this.tables.set(table, key, value, this.#watch);
  }

  async #readAll(tx: ReadTx): Promise<void> {
    for (const table of MIRRORED) {
      const gone = new Set(this.tables.keys(table));
      for (let after: string | undefined; ;) {
        const rows = await tx.list(table, '', ROWS_AT_ONCE, after);
        for (const [key, value] of rows) {
          gone.delete(key);
          this.tables.set(table, key, value, this.#watch);
        }
        if (rows.length < ROWS_AT_ONCE) break;
        after = rows.at(-1)![0];
      }
      for (const key of gone) this.tables.set(table, key, undefined, this.#watch);
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  persist(): Promise<boolean> {
    return this.#storage.persist();
  }

  /** Waits for what is under way, then lets go of the storage. */
  async close(): Promise<void> {
    await this.#last;
    this.#storage.close();
  }
}

async function revOf(tx: ReadTx): Promise<number> {
  return ((await tx.get('meta', 'rev')) as number | undefined) ?? 0;
}
