// Records as pages draw them: kept per collection and scope, brought up to date by what changed alone, so
// that a tap among thousands of records costs one record. What was tapped and is not durable yet lies over
// it and says so (`saving`).

import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import type { Change } from '../sdk/api';
import type { Edits, Fields, RecordKey, ShownRecord, SyncStatus } from '../sdk/types';
import { device } from './device';

export interface LiveRecord extends ShownRecord {
  /** Tapped, and not yet kept for good on this device. */
  saving?: boolean;
}

/** The records of one collection, in one scope or in all; `version` rises with every change. */
export class LiveSet {
  readonly records = new Map<string, LiveRecord>();
  version = 0;
  readonly listeners = new Set<() => void>();

  constructor(
    readonly coll: string,
    readonly scope: string | undefined,
  ) {
    this.reload();
  }

  reload(): void {
    this.records.clear();
    for (const record of device().list(this.coll, this.scope)) this.records.set(nameOf(record), record);
    this.touched();
  }

  holds(key: RecordKey): boolean {
    return key.coll === this.coll && (this.scope === undefined || key.scope === this.scope);
  }

  put(key: RecordKey, record: LiveRecord | undefined): void {
    if (record === undefined) this.records.delete(nameOf(key));
    else this.records.set(nameOf(key), record);
  }

  touched(): void {
    ++this.version;
    for (const listener of this.listeners) listener();
  }

  get(scope: string, id: string): LiveRecord | undefined {
    return this.records.get(nameOf({ scope, id }));
  }
}

const sets = new Map<string, LiveSet>();
const statusListeners = new Set<() => void>();
const savingListeners = new Set<() => void>();
/** Edits on their way to the disk, the latest of a record; by whole key. */
const saving = new Map<string, { key: RecordKey; edits: Edits; token: symbol }>();

function nameOf(key: { scope: string; id: string }): string {
  return `${key.scope} ${key.id}`;
}

function wholeName(key: RecordKey): string {
  return `${key.coll} ${nameOf(key)}`;
}

function current(key: RecordKey): LiveRecord | undefined {
  const record = device().view(key);
  const over = saving.get(wholeName(key));
  if (over === undefined) return record;
  if (over.edits.del === true) return undefined;
  const base: LiveRecord = record ?? { ...key, seq: 0, fields: {}, conflicts: 0, waiting: 0 };
  return { ...base, fields: laidOver(base.fields, over.edits), saving: true };
}

/** Sets and registers alone: counters, logs and quotas are drawn once they are durable. */
function laidOver(fields: Fields, edits: Edits): Fields {
  const result: Fields = { ...fields };
  for (const [name, value] of Object.entries(edits.set ?? {})) {
    if (value === null) delete result[name];
    else result[name] = value;
  }
  return result;
}

function refresh(keys: readonly RecordKey[]): void {
  for (const set of sets.values()) {
    const ours = keys.filter((key) => set.holds(key));
    if (ours.length === 0) continue;
    for (const key of ours) set.put(key, current(key));
    set.touched();
  }
}

/** Shows an edit before it is durable; the returned function ends that, whatever came of it. */
export function showSaving(key: RecordKey, edits: Edits): () => void {
  const token = Symbol(key.id);
  saving.set(wholeName(key), { key, edits, token });
  refresh([key]);
  for (const listener of savingListeners) listener();
  return () => {
    if (saving.get(wholeName(key))?.token === token) saving.delete(wholeName(key));
    refresh([key]);
    for (const listener of savingListeners) listener();
  };
}

export function editsBeingSaved(): number {
  return saving.size;
}

/** Follows the device; called once. */
export function follow(): void {
  device().subscribe((change: Change) => {
    if (change.all) {
      for (const set of sets.values()) set.reload();
    } else {
      refresh(change.records);
    }
    for (const listener of statusListeners) listener();
  });
}

export function tellStatus(): void {
  for (const listener of statusListeners) listener();
}

function setOf(coll: string, scope?: string): LiveSet {
  const name = `${coll} ${scope ?? '*'}`;
  let set = sets.get(name);
  if (set === undefined) {
    set = new LiveSet(coll, scope);
    sets.set(name, set);
  }
  return set;
}

/** The live records; the component is drawn again when one of them changes. */
export function useRecords(coll: string, scope?: string): LiveSet {
  const set = useMemo(() => setOf(coll, scope), [coll, scope]);
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  const drawn = set.version;
  useEffect(() => {
    const listener = () => redraw();
    set.listeners.add(listener);
    // What changed between drawing and listening.
    if (set.version !== drawn) redraw();
    return () => {
      set.listeners.delete(listener);
    };
  }, [set]);
  return set;
}

/** Whether an edit is on its way to the disk. */
export function useSaving(): boolean {
  const [some, setSome] = useState(saving.size > 0);
  useEffect(() => {
    const listener = () => setSome(saving.size > 0);
    savingListeners.add(listener);
    listener();
    return () => {
      savingListeners.delete(listener);
    };
  }, []);
  return some;
}

export function useStatus(): SyncStatus {
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  const drawn = device().status();
  useEffect(() => {
    const listener = () => redraw();
    statusListeners.add(listener);
    if (device().status() !== drawn) redraw();
    return () => {
      statusListeners.delete(listener);
    };
  }, []);
  return drawn;
}
