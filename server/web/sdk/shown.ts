// What the user sees of the tables: records with the device's own ops laid over, by collection and scope, each
// made once and kept until something about it changes; and what has changed since somebody last asked.

import type { Change } from './api';
import { overlaid } from './overlay';
import type { Laid } from './overlay';
import { isLost } from './queue';
import { parsedKey, recordKey } from './state';
import type { Entry, StoredRecord } from './state';
import type { Mirrored } from './tables';
import type { Edits, Fields, Op, RecordKey, ShownRecord } from './types';

/** An edit that is on its way into the storage. */
export interface Pending {
  key: RecordKey;
  edits: Edits;
  wall: number;
}

export class Shown {
  readonly #device: () => string;
  readonly #recordOf: (key: string) => StoredRecord | undefined;
  readonly #byCollection = new Map<string, Map<string, Set<string>>>();
  readonly #entries = new Map<string, Map<number, Entry>>();
  readonly #pending = new Map<string, Pending[]>();
  readonly #made = new Map<string, ShownRecord | null>();
  readonly #changed = new Set<string>();
  #statusChanged = false;

  constructor(device: () => string, recordOf: (key: string) => StoredRecord | undefined) {
    this.#device = device;
    this.#recordOf = recordOf;
  }

  /** To be told of each change of the tables. */
  readonly watch = (table: Mirrored, key: string, before: unknown, after: unknown): void => {
    if (table === 'records') return this.#touch(key);
    this.#statusChanged = true;
    if (table !== 'ops') return;
    if (before !== undefined) this.#forgetEntry(before as Entry);
    if (after !== undefined) this.#noteEntry(after as Entry);
  };

  #noteEntry(entry: Entry): void {
    if (isLost(entry.op) || !entry.showing) return;
    const key = recordKey(entry.op);
    let entries = this.#entries.get(key);
    if (entries === undefined) this.#entries.set(key, (entries = new Map()));
    entries.set(entry.op.n, entry);
    this.#touch(key);
  }

  #forgetEntry({ op }: Entry): void {
    if (isLost(op)) return;
    const key = recordKey(op);
    const entries = this.#entries.get(key);
    if (entries?.delete(op.n) !== true) return;
    if (entries.size === 0) this.#entries.delete(key);
    this.#touch(key);
  }

  addPending(pending: Pending): void {
    const key = recordKey(pending.key);
    this.#pending.set(key, [...(this.#pending.get(key) ?? []), pending]);
    this.#statusChanged = true;
    this.#touch(key);
  }

  removePending(pending: Pending): void {
    const key = recordKey(pending.key);
    const left = (this.#pending.get(key) ?? []).filter((one) => one !== pending);
    if (left.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, left);
    this.#touch(key);
  }

  #touch(key: string): void {
    this.#made.delete(key);
    this.#changed.add(key);
    const { coll, scope } = parsedKey(key);
    const isThere = this.#recordOf(key) !== undefined || this.#entries.has(key) || this.#pending.has(key);
    let scopes = this.#byCollection.get(coll);
    if (scopes === undefined) this.#byCollection.set(coll, (scopes = new Map()));
    let keys = scopes.get(scope);
    if (keys === undefined) scopes.set(scope, (keys = new Set()));
    if (isThere) keys.add(key);
    else keys.delete(key);
    if (keys.size === 0) scopes.delete(scope);
  }

  view(key: string): ShownRecord | undefined {
    let shown = this.#made.get(key);
    if (shown === undefined) this.#made.set(key, (shown = this.#make(key)));
    return shown ?? undefined;
  }

  #make(key: string): ShownRecord | null {
    const record = this.#recordOf(key);
    const entries = this.#entriesOf(key);
    const pending = this.#pending.get(key) ?? [];
    const fields = this.#fieldsOf(record, entries, pending);
    if (fields === undefined) return null;
    const waiting = pending.length + entries.filter(({ verdict }) => verdict === null).length;
    return { ...parsedKey(key), seq: record?.seq ?? 0, fields, conflicts: record?.conflicts ?? 0, waiting };
  }

  #fieldsOf(record: StoredRecord | undefined, entries: Entry[], pending: Pending[]): Fields | undefined {
    const fields = record === undefined || record.deleted ? undefined : (record.fields ?? {});
    if (entries.length === 0 && pending.length === 0) return fields;
    const laid: Laid[] = entries.map(({ op, verdict }) => ({ edits: editsOf(op), wall: wallOf(op), verdict }));
    for (const { edits, wall } of pending) laid.push({ edits, wall, verdict: null });
    return overlaid(fields, laid, this.#device());
  }

  #entriesOf(key: string): Entry[] {
    return [...(this.#entries.get(key)?.values() ?? [])].sort((a, b) => a.op.n - b.op.n);
  }

  /** The edits of a record that are laid over it, with their verdicts. */
  laidOver(key: string): Laid[] {
    const entries = this.#entriesOf(key).map(({ op, verdict }) => ({ edits: editsOf(op), wall: wallOf(op), verdict }));
    return [...entries, ...(this.#pending.get(key) ?? []).map(({ edits, wall }) => ({ edits, wall, verdict: null }))];
  }

  list(coll: string, scope?: string): ShownRecord[] {
    const scopes = this.#byCollection.get(coll);
    if (scopes === undefined) return [];
    const found: ShownRecord[] = [];
    for (const keys of scope === undefined ? scopes.values() : [scopes.get(scope) ?? []]) {
      for (const key of keys) {
        const shown = this.view(key);
        if (shown !== undefined) found.push(shown);
      }
    }
    return found;
  }

  noteStatus(): void {
    this.#statusChanged = true;
  }

  get hasChanged(): boolean {
    return this.#statusChanged || this.#changed.size > 0;
  }

  takeChanged(): Change {
    // Whoever is told of more than that looks at everything anew.
    const all = this.#changed.size > 1000;
    const change: Change = { all, records: all ? [] : [...this.#changed].map(parsedKey), status: this.#statusChanged };
    this.#changed.clear();
    this.#statusChanged = false;
    return change;
  }
}

// The whole op will do: overlaying looks at the edits alone.
function editsOf(op: Op): Edits {
  return isLost(op) ? {} : op;
}

function wallOf(op: Op): number {
  return isLost(op) ? 0 : op.wall;
}
