// A device's tables in the key-value storage of a WeChat mini-program: 1 MB a key, 10 MB in all, one key at a
// time. A transaction is one key that is written ahead ("w<number>"); now and then those are folded into leaves
// ("l<number>": rows in order of key), of which the index ("i") tells which count. Leaves are never changed:
// new ones are written, then the index, then the old ones go. So the program may end between any two writes.

import { ApiError } from './api';
import { utf8Length } from './sha256';
import type { ReadTx, Storage, Table, WriteTx } from './types';

/** The storage calls of `wx`, each as it is told when done. */
export interface KeyStore {
  set(key: string, text: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
}

type Step = ['put', string, string] | ['remove', string] | ['clear', string];

interface Index {
  version: 1;
  leaves: number[];
  /** The last transaction that is in them. */
  folded: number;
}

const PART_LENGTH = 300_000;
const LEAF_BYTES = 200_000;
const MOST_AHEAD = 32;
const MOST_LENGTH_AHEAD = 1_000_000;
// Records from the server leave this much to what the user writes.
const ROOM_FOR_RECORDS = 8 * 1024 * 1024;

export class WxStorage implements Storage {
  readonly #store: KeyStore;
  readonly #name: string;
  readonly #rows = new Map<string, string>();
  #sorted: string[] | null = null;
  #bytes = 0;
  #index: Index = { version: 1, leaves: [], folded: 0 };
  // The first row of each leaf, in order; the first leaf begins with the empty text.
  #firsts: string[] = [];
  #ahead = 0;
  #lengthAhead = 0;
  readonly #dirty = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  static async open(store: KeyStore, name: string): Promise<WxStorage> {
    const storage = new WxStorage(store, name);
    await storage.#load();
    return storage;
  }

  private constructor(store: KeyStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  #key(kind: string): string {
    return `${this.#name}/${kind}`;
  }

  async #load(): Promise<void> {
    const index = await this.#store.get(this.#key('i'));
    if (index !== undefined) this.#index = JSON.parse(index) as Index;
    for (const leaf of this.#index.leaves) {
      const rows = JSON.parse((await this.#store.get(this.#key(`l${leaf}`)))!) as [string, string][];
      this.#firsts.push(this.#firsts.length === 0 ? '' : rows[0]![0]);
      for (const [row, text] of rows) this.#put(row, text);
    }
    for (;;) {
      const steps = await this.#readAhead(this.#index.folded + this.#ahead + 1);
      if (steps === null) break;
      this.#apply(steps);
      this.#ahead += 1;
    }
    await this.#sweep();
  }

  // What a program that ended in the middle left behind.
  async #sweep(): Promise<void> {
    const { leaves, folded } = this.#index;
    const counts = new Set(leaves.map((leaf) => this.#key(`l${leaf}`)));
    for (const key of await this.#store.keys()) {
      const [, kind, number] = /^([lw])(\d+)/.exec(key.startsWith(this.#key('')) ? key.slice(this.#key('').length) : '') ?? [];
      const isOld = kind === 'w' && (Number(number) <= folded || Number(number) > folded + this.#ahead);
      if (isOld || (kind === 'l' && !counts.has(key))) await this.#store.remove(key);
    }
  }

  // The first key of a transaction is written last, and says how many there are.
  async #readAhead(number: number): Promise<Step[] | null> {
    const head = await this.#store.get(this.#key(`w${number}`));
    if (head === undefined) return null;
    const { parts, text } = JSON.parse(head) as { parts: number; text: string };
    let whole = text;
    for (let part = 1; part < parts; part++) whole += (await this.#store.get(this.#key(`w${number}.${part}`)))!;
    return JSON.parse(whole) as Step[];
  }

  async #writeAhead(number: number, steps: Step[]): Promise<void> {
    const whole = JSON.stringify(steps);
    this.#lengthAhead += whole.length;
    const parts: string[] = [];
    for (let at = 0; at < whole.length; at += PART_LENGTH) parts.push(whole.slice(at, at + PART_LENGTH));
    for (let part = 1; part < parts.length; part++) await this.#store.set(this.#key(`w${number}.${part}`), parts[part]!);
    await this.#store.set(this.#key(`w${number}`), JSON.stringify({ parts: parts.length, text: parts[0] }));
  }

  #apply(steps: Step[]): void {
    for (const [what, row, text] of steps) {
      if (what === 'put') this.#put(row, text);
      else if (what === 'remove') this.#remove(row);
      else for (const key of this.#range(row)) this.#remove(key);
      if (what !== 'clear') this.#dirty.add(row);
    }
  }

  #put(row: string, text: string): void {
    const before = this.#rows.get(row);
    if (before === undefined) this.#sorted = null;
    else this.#bytes -= sizeOf(row, before);
    this.#rows.set(row, text);
    this.#bytes += sizeOf(row, text);
  }

  #remove(row: string): void {
    const before = this.#rows.get(row);
    if (before === undefined) return;
    this.#rows.delete(row);
    this.#bytes -= sizeOf(row, before);
    this.#sorted = null;
    this.#dirty.add(row);
  }

  /** Keys from `start` on (behind `after`) that begin with it. */
  #range(start: string, after?: string, limit = Infinity): string[] {
    this.#sorted ??= [...this.#rows.keys()].sort();
    const keys: string[] = [];
    const from = after === undefined ? position(this.#sorted, start) : position(this.#sorted, `${after}\0`);
    for (let at = from; at < this.#sorted.length && keys.length < limit && this.#sorted[at]!.startsWith(start); at++) keys.push(this.#sorted[at]!);
    return keys;
  }

  read<T>(task: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#inTurn(() => task(this.#reader()));
  }

  write<T>(change: (tx: WriteTx) => Promise<T>, { relaxed = false } = {}): Promise<T> {
    return this.#inTurn(async () => {
      const steps: Step[] = [];
      const result = await change({
        ...this.#reader(),
        put: (table, key, value) => steps.push(['put', rowOf(table, key), JSON.stringify(value)]),
        remove: (table, key) => steps.push(['remove', rowOf(table, key)]),
        removeAll: (table, prefix) => steps.push(['clear', rowOf(table, prefix)]),
      });
      if (steps.length === 0) return result;
      if (relaxed && this.#bytes > ROOM_FOR_RECORDS) throw new ApiError('storage.full', 'no room for more records');
      await this.#writeAhead(this.#index.folded + this.#ahead + 1, steps);
      this.#apply(steps);
      this.#ahead += 1;
      if (this.#isFarAhead) void this.#inTurn(() => this.#fold()).catch(() => {});
      return result;
    });
  }

  get #isFarAhead(): boolean {
    return this.#ahead >= MOST_AHEAD || this.#lengthAhead > MOST_LENGTH_AHEAD;
  }

  // Fails where there is no room for both the old and the new; then it is tried again behind the next transaction.
  async #fold(): Promise<void> {
    if (!this.#isFarAhead) return;
    const { leaves, folded } = this.#index;
    const old = this.#dirtyLeaves();
    const made: { leaf: number; first: string }[] = [];
    let next = Math.max(0, ...leaves) + 1;
    for (let at = 0; at < Math.max(1, leaves.length); at++) {
      if (leaves.length > 0 && !old.has(at)) {
        made.push({ leaf: leaves[at]!, first: this.#firsts[at]! });
        continue;
      }
      for (const rows of this.#split(this.#rowsOfLeaf(at))) {
        await this.#store.set(this.#key(`l${next}`), JSON.stringify(rows));
        made.push({ leaf: next++, first: rows[0]![0] });
      }
    }
    const index: Index = { version: 1, leaves: made.map(({ leaf }) => leaf), folded: folded + this.#ahead };
    await this.#store.set(this.#key('i'), JSON.stringify(index));
    this.#index = index;
    this.#firsts = made.map(({ first }, i) => (i === 0 ? '' : first));
    this.#ahead = 0;
    this.#lengthAhead = 0;
    this.#dirty.clear();
    await this.#sweep();
  }

  #dirtyLeaves(): Set<number> {
    return new Set([...this.#dirty].map((row) => Math.max(0, position(this.#firsts, `${row}\0`) - 1)));
  }

  #rowsOfLeaf(at: number): [string, string][] {
    this.#sorted ??= [...this.#rows.keys()].sort();
    const end = this.#firsts[at + 1];
    const from = position(this.#sorted, this.#firsts[at] ?? '');
    const keys = this.#sorted.slice(from, end === undefined ? undefined : position(this.#sorted, end));
    return keys.map((key) => [key, this.#rows.get(key)!]);
  }

  #split(rows: [string, string][]): [string, string][][] {
    const leaves: [string, string][][] = [];
    let bytes = Infinity;
    for (const row of rows) {
      const size = sizeOf(...row);
      if (bytes + size > LEAF_BYTES) {
        leaves.push([]);
        bytes = 0;
      }
      leaves.at(-1)!.push(row);
      bytes += size;
    }
    return leaves;
  }

  #reader(): ReadTx {
    return {
      get: async (table, key) => parsed(this.#rows.get(rowOf(table, key))),
      list: async (table, prefix = '', limit, after) => {
        const rows = this.#range(rowOf(table, prefix), after === undefined ? undefined : rowOf(table, after), limit);
        return rows.map((row) => [row.slice(table.length + 1), parsed(this.#rows.get(row))]);
      },
    };
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  /** A mini-program's storage stays until the user removes it. */
  persist(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): void {}
}

function rowOf(table: Table, key: string): string {
  return `${table}\n${key}`;
}

function sizeOf(row: string, text: string): number {
  return utf8Length(row) + utf8Length(text) + 8;
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** The place of the first of `sorted` that is not below `text`. */
function position(sorted: string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
