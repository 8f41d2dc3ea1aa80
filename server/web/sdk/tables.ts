// A device's tables in memory, as they were after the last transaction, and a draft of the next one. What
// happens to a queue (queue.ts) is decided on a draft without waiting, and then written as one transaction.

import { ScopeDigest } from './digest';
import type { Entry, MetaTypes, StoredRecord, Touched } from './state';
import type { Table, WriteTx } from './types';

/** The tables that are held in memory. */
export const MIRRORED = ['meta', 'ops', 'records', 'digests', 'refused', 'carried'] as const satisfies readonly Table[];
export type Mirrored = (typeof MIRRORED)[number];

/** What was, and what is now, under one key; undefined where nothing. */
export type Watcher = (table: Mirrored, key: string, before: unknown, after: unknown) => void;

export class Tables {
  readonly #tables = new Map<Mirrored, Map<string, unknown>>(MIRRORED.map((table) => [table, new Map()]));
  readonly #sums = new Map<string, ScopeDigest>();

  get(table: Mirrored, key: string): unknown {
    return this.#tables.get(table)!.get(key);
  }

  meta<K extends keyof MetaTypes>(key: K): MetaTypes[K] | undefined {
    return this.get('meta', key) as MetaTypes[K] | undefined;
  }

  entries(table: Mirrored): Iterable<[string, unknown]> {
    return this.#tables.get(table)!;
  }

  /** Keys that begin with `prefix`, in no order. */
  keys(table: Mirrored, prefix = ''): string[] {
    const keys = [...this.#tables.get(table)!.keys()];
    return prefix === '' ? keys : keys.filter((key) => key.startsWith(prefix));
  }

  set(table: Mirrored, key: string, value: unknown, watch: Watcher): void {
    const rows = this.#tables.get(table)!;
    const before = rows.get(key);
    if (before === undefined && value === undefined) return;
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
    if (table === 'records') this.#sumUp(key, before as StoredRecord | undefined, value as StoredRecord | undefined);
    watch(table, key, before, value);
  }

  #sumUp(key: string, before: StoredRecord | undefined, after: StoredRecord | undefined): void {
    const scope = key.slice(0, key.indexOf(' '));
    let sum = this.#sums.get(scope);
    if (sum === undefined) this.#sums.set(scope, (sum = new ScopeDigest()));
    sum.subtract(before?.hash ?? '').add(after?.hash ?? '');
  }

  /** The digest of what is held of a scope. */
  digest(scope: string): string {
    return (this.#sums.get(scope) ?? new ScopeDigest()).toString();
  }
}

/** Changes on top of the tables, none of which has happened yet. */
export class Draft {
  readonly #base: Tables;
  readonly #puts = new Map<Mirrored, Map<string, unknown>>(MIRRORED.map((table) => [table, new Map()]));
  readonly #cleared: [Mirrored, string][] = [];

  constructor(base: Tables) {
    this.#base = base;
  }

  get(table: Mirrored, key: string): unknown {
    const puts = this.#puts.get(table)!;
    if (puts.has(key)) return puts.get(key);
    return this.#isCleared(table, key) ? undefined : this.#base.get(table, key);
  }

  meta<K extends keyof MetaTypes>(key: K): MetaTypes[K] | undefined {
    return this.get('meta', key) as MetaTypes[K] | undefined;
  }

  putMeta<K extends keyof MetaTypes>(key: K, value: MetaTypes[K] | undefined): void {
    this.put('meta', key, value);
  }

  /** Values of a table in order of key. */
  list(table: Mirrored): [string, unknown][] {
    const rows: [string, unknown][] = [];
    const puts = this.#puts.get(table)!;
    for (const [key, value] of this.#base.entries(table)) {
      if (!puts.has(key) && !this.#isCleared(table, key)) rows.push([key, value]);
    }
    for (const [key, value] of puts) if (value !== undefined) rows.push([key, value]);
    return rows.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  queue(): Entry[] {
    return this.list('ops').map(([, entry]) => entry as Entry);
  }

  /** `undefined` removes. */
  put(table: Mirrored, key: string, value: unknown): void {
    this.#puts.get(table)!.set(key, value);
  }

  remove(table: Mirrored, key: string): void {
    this.put(table, key, undefined);
  }

  removeAll(table: Mirrored, prefix: string): void {
    for (const key of [...this.#puts.get(table)!.keys()]) if (key.startsWith(prefix)) this.#puts.get(table)!.delete(key);
    this.#cleared.push([table, prefix]);
  }

  /** The digest of what will be held of a scope. */
  digest(scope: string): string {
    const prefix = `${scope} `;
    const isGone = this.#isCleared('records', prefix);
    const sum = new ScopeDigest(isGone ? undefined : this.#base.digest(scope));
    for (const [key, record] of this.#puts.get('records')!) {
      if (!key.startsWith(prefix)) continue;
      const before = isGone ? undefined : this.#base.get('records', key);
      sum.subtract((before as StoredRecord | undefined)?.hash ?? '').add((record as StoredRecord | undefined)?.hash ?? '');
    }
    return sum.toString();
  }

  get isEmpty(): boolean {
    return this.#cleared.length === 0 && [...this.#puts.values()].every((puts) => puts.size === 0);
  }

  #isCleared(table: Mirrored, key: string): boolean {
    return this.#cleared.some(([cleared, prefix]) => cleared === table && key.startsWith(prefix));
  }

  writeTo(tx: WriteTx): void {
    for (const [table, prefix] of this.#cleared) tx.removeAll(table, prefix);
    for (const [table, puts] of this.#puts) {
      for (const [key, value] of puts) {
        if (value === undefined) tx.remove(table, key);
        else tx.put(table, key, value);
      }
    }
  }

  /** What others on the storage have to read anew. */
  touched(): Touched {
    const keys: [Mirrored, string][] = [];
    for (const [table, puts] of this.#puts) for (const key of puts.keys()) keys.push([table, key]);
    return { cleared: this.#cleared, keys };
  }

  /** Makes it so in the tables that it was drawn upon. */
  apply(watch: Watcher): void {
    for (const [table, prefix] of this.#cleared) {
      for (const key of this.#base.keys(table, prefix)) this.#base.set(table, key, undefined, watch);
    }
    for (const [table, puts] of this.#puts) for (const [key, value] of puts) this.#base.set(table, key, value, watch);
  }
}
