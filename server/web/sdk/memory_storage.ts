// A storage that lives as long as the program: for tests, and where a platform keeps nothing (the device then
// says `persistent: false`).

import type { ReadTx, Storage, Table, WriteTx } from './types';

export class MemoryStorage implements Storage {
  // Values are kept as JSON text, so that no caller can change what is stored by changing an object.
  readonly #rows = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  read<T>(task: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#inTurn(() => task(this.#reader()));
  }

  write<T>(change: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const puts: (() => void)[] = [];
      const result = await change({
        ...this.#reader(),
        put: (table, key, value) => puts.push(() => this.#rows.set(rowKey(table, key), JSON.stringify(value))),
        remove: (table, key) => puts.push(() => this.#rows.delete(rowKey(table, key))),
        removeAll: (table, prefix) => puts.push(() => this.#keys(table, prefix).forEach((key) => this.#rows.delete(rowKey(table, key)))),
      });
      for (const put of puts) put();
      return result;
    });
  }

  #reader(): ReadTx {
    return {
      get: async (table, key) => parsed(this.#rows.get(rowKey(table, key))),
      list: async (table, prefix = '', limit = Infinity, after = '') => {
        const keys = this.#keys(table, prefix).filter((key) => key > after).slice(0, limit);
        return keys.map((key) => [key, parsed(this.#rows.get(rowKey(table, key)))]);
      },
    };
  }

  #keys(table: Table, prefix: string): string[] {
    const start = rowKey(table, prefix);
    return [...this.#rows.keys()].filter((row) => row.startsWith(start)).map((row) => row.slice(table.length + 1)).sort();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  persist(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {}
}

function rowKey(table: Table, key: string): string {
  return `${table}\n${key}`;
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
