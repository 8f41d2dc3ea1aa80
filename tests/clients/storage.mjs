// Where a device keeps what it must not lose. On a phone this would be SQLite or IndexedDB; here it
// is memory. The interface is four tables of JSON values under string keys, and a transaction:
//
//   get(table, key)              the value, or undefined
//   list(table, prefix)          [key, value] pairs in order of key
//   transaction(change)          change(tx) may call tx.put, tx.remove, tx.get, tx.list; if it throws,
//                                nothing of it has happened
//
// `meta` holds the identity and the counters, `ops` the queue, `records` the state as the server sent
// it, `digests` one sum for each scope.

const TABLES = ['meta', 'ops', 'records', 'digests'];

export class MemoryStorage {
  // Values are kept as JSON text, so that no caller can change what is stored by changing an object.
  #tables;

  constructor() {
    this.#tables = emptyTables();
  }

  get(table, key) {
    const text = this.#tables[table].get(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  list(table, prefix = '') {
    const keys = [...this.#tables[table].keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, this.get(table, key)]);
  }

  transaction(change) {
    const undo = [];
    const write = (table, key, text) => {
      undo.push([table, key, this.#tables[table].get(key)]);
      this.#write(table, key, text);
    };
    const tx = {
      get: (table, key) => this.get(table, key),
      list: (table, prefix) => this.list(table, prefix),
      put: (table, key, value) => write(table, key, JSON.stringify(value)),
      remove: (table, key) => write(table, key, undefined),
    };
    try {
      return change(tx);
    } catch (error) {
      for (const [table, key, text] of undo.reverse()) this.#write(table, key, text);
      throw error;
    }
  }

  // What a backup of the phone holds.
  clone() {
    const copy = new MemoryStorage();
    copy.#copyFrom(this);
    return copy;
  }

  // The phone gets back an older copy of itself.
  restore(copy) {
    this.#copyFrom(copy);
  }

  // The app was removed and installed again.
  erase() {
    this.#tables = emptyTables();
  }

  #write(table, key, text) {
    if (text === undefined) this.#tables[table].delete(key);
    else this.#tables[table].set(key, text);
  }

  #copyFrom(other) {
    this.#tables = Object.fromEntries(TABLES.map((table) => [table, new Map(other.#tables[table])]));
  }
}

function emptyTables() {
  return Object.fromEntries(TABLES.map((table) => [table, new Map()]));
}
