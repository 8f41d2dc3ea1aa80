// A device: it shows records, takes edits, and syncs them by the rules of docs/protocol.md. What it must not lose
// is in the storage before it is told as done; what is shown comes from memory.

import { ApiError } from './api';
import type { Change, DeviceApi } from './api';
import { PAUSES } from './backoff';
import type { Pauses } from './backoff';
import { COLLECTIONS } from './collections';
import { Conduct } from './conduct';
import { EditWriter } from './edits';
import type { KnownCollections } from './edits';
import { Exchange, listed } from './exchange';
import { Carrier, fileOf, partsOf } from './handover';
import { Http } from './http';
import { hex, uuid7 } from './ids';
import { leaseMove, quotaOf } from './overlay';
import * as queue from './queue';
import { Shown } from './shown';
import { recordKey } from './state';
import type { Entry, Refused, StoredRecord } from './state';
import { Store } from './store';
import { statusOf } from './status';
import type { CarriedOps, Edits, Json, Op, OwnOp, Platform, RecordKey, ShownRecord, SyncStatus } from './types';

export interface DeviceOptions {
  /** Name and version of the program, for the office's list. */
  app?: string;
  collections?: KnownCollections;
  pauses?: Pauses;
}

// While records pour in, listeners are called this often.
const CALM_MS = 100;

export class Device implements DeviceApi {
  readonly #platform: Platform;
  readonly #app: string;
  readonly #store: Store;
  readonly #shown: Shown;
  readonly #http: Http;
  readonly #exchange: Exchange;
  readonly #conduct: Conduct;
  readonly #carrier: Carrier;
  readonly #writer: EditWriter;
  readonly #listeners = new Set<(change: Change) => void>();
  #enrolling: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isTelling = false;
  #persistent: boolean | null = null;
  #status: SyncStatus | null = null;

  static async open(platform: Platform, options: DeviceOptions = {}): Promise<Device> {
    const device = new Device(platform, options);
    await device.#store.load();
    if (device.#store.tables.meta('identity') !== undefined) device.#askToPersist();
    device.#shown.takeChanged();
    return device;
  }

  private constructor(platform: Platform, { app = 'waystation sdk', collections = COLLECTIONS, pauses = PAUSES }: DeviceOptions) {
    const { neighbours, storage, transport } = platform;
    this.#platform = platform;
    this.#app = app;
    this.#shown = new Shown(() => this.#identity?.device ?? '', (key) => this.#record(key));
    const announce = neighbours === undefined ? null : () => neighbours.announce({ kind: 'changed' });
    this.#store = new Store(storage, (...change) => this.#onStored(...change), announce);
    this.#http = new Http(transport);
    this.#exchange = new Exchange({
      store: this.#store, clock: () => platform.clock(), app, schemaVersion: 1, leader: hex(platform.random(8)),
      personal: (coll) => Object.entries(collections[coll]?.fields ?? {}).flatMap(([name, { personal }]) => (personal === true ? [name] : [])),
    });
    this.#carrier = new Carrier(this.#store, this.#http);
    this.#writer = new EditWriter({
      store: this.#store, shown: this.#shown, clock: () => platform.clock(), collections,
      leaseLeft: (key, field) => this.leaseLeft(key, field).left,
      onShown: () => this.#onEdited(),
      onKept: () => this.#conduct.goOn(),
    });
    this.#conduct = new Conduct({
      platform, store: this.#store, exchange: this.#exchange, http: this.#http, pauses,
      chance: () => platform.random(1)[0]! / 256,
      onLink: () => this.#noteStatus(),
      onSettled: () => this.#carrier.run(),
    });
    neighbours?.onMessage(({ kind }) => {
      if (kind === 'changed') void this.#store.catchUp().then(() => this.#conduct.goOn(), () => {});
    });
  }

  get #tables() {
    return this.#store.tables;
  }

  get #identity() {
    return this.#tables.meta('identity');
  }

  #record(key: string): StoredRecord | undefined {
    return this.#tables.get('records', key) as StoredRecord | undefined;
  }

  // --- Who it is ---

  enroll(server: string, code: string, name: string): Promise<void> {
    this.#enrolling ??= this.#enroll(server, code, name).finally(() => (this.#enrolling = null));
    return this.#enrolling;
  }

  // The request's id is stored before it is sent: when the answer gets lost, even together with the running
  // program, the same request is made again and yields the same device.
  async #enroll(server: string, code: string, name: string): Promise<void> {
    if (this.#tables.meta('wipe')?.discarded !== undefined) await this.syncNow();
    const { stopped } = this.status();
    if (this.#identity !== undefined && !stopped?.startsWith('auth.')) throw new ApiError('device.enrolled');
    const request = await this.#store.change((draft) => {
      const begun = draft.meta('enrolling');
      if (begun?.code === code) return begun.request;
      const fresh = hex(this.#platform.random(16));
      draft.putMeta('enrolling', { code, request: fresh });
      return fresh;
    });
    const reply = await this.#http.post<{ device: string; token: string; role: string | null; scopes: string[]; incarnation: string }>(
      server, '/v1/enroll', { code, request, name, app: this.#app });
    await this.#store.change((draft) => {
      queue.beginAnew(draft, { incarnation: reply.incarnation, scopes: reply.scopes });
      draft.putMeta('identity', { server, device: reply.device, token: reply.token, role: reply.role });
      draft.putMeta('enrolling', undefined);
    });
    this.#exchange.stopped = null;
    this.#askToPersist();
    this.#conduct.goOn();
  }

  #askToPersist(): void {
    void this.#store.persist().then((persistent) => {
      this.#persistent = persistent;
      this.#noteStatus();
    }, () => {});
  }

  get scopes(): readonly string[] {
    return this.#tables.meta('progress')?.scopes ?? [];
  }

  get role(): string | null {
    return this.#identity?.role ?? null;
  }

  newId(): string {
    return uuid7(this.#platform.clock().wall, (count) => this.#platform.random(count));
  }

  // --- What it shows ---

  view(key: RecordKey): ShownRecord | undefined {
    return this.#shown.view(recordKey(key));
  }

  list(coll: string, scope?: string): ShownRecord[] {
    return this.#shown.list(coll, scope);
  }

  status(): SyncStatus {
    this.#status ??= statusOf(this.#tables, this.#conduct.link, this.#persistent);
    return this.#status;
  }

  ownOps(): OwnOp[] {
    const progress = this.#tables.meta('progress');
    if (progress === undefined) return [];
    const refused = listed<Refused>(this.#tables.entries('refused')).map(({ op, refused }): OwnOp => ({ op, state: 'refused', refused }));
    const entries = listed<Entry>(this.#tables.entries('ops')).filter(({ op, verdict }) => !queue.isLost(op) && !verdict?.refused);
    const others = entries.map(({ op, verdict }): OwnOp => {
      if (!verdict?.ok) return { op, state: op.n <= progress.handed ? 'sent' : 'waiting' };
      const isBackedUp = progress.backedUp !== null && op.n <= progress.backedUp;
      return { op, state: isBackedUp ? 'backed_up' : 'applied', ...(verdict.lost && { lost: verdict.lost }) };
    });
    return [...refused, ...others].sort((a, b) => a.op.n - b.op.n);
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #onStored(...[table, key, before, after]: Parameters<Shown['watch']>): void {
    this.#status = null;
    this.#shown.watch(table, key, before, after);
    this.#tellCalmly();
  }

  #noteStatus(): void {
    this.#shown.noteStatus();
    this.#onEdited();
  }

  #onEdited(): void {
    this.#status = null;
    this.#tellSoon();
  }

  // What the user has just done is told in the same turn's end, what comes from elsewhere in batches.
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    void Promise.resolve().then(() => {
      this.#isTelling = false;
      this.#tell();
    });
  }

  #tellCalmly(): void {
    this.#timer ??= setTimeout(() => this.#tell(), this.#tables.meta('progress')?.filling == null ? 0 : CALM_MS);
  }

  #tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#shown.hasChanged) return;
    const change = this.#shown.takeChanged();
    for (const listener of [...this.#listeners]) listener(change);
  }

  // --- What it does ---

  async edit(key: RecordKey, edits: Edits): Promise<Op> {
    return (await this.editAll([[key, edits]]))[0]!;
  }

  editAll(edits: [RecordKey, Edits][]): Promise<Op[]> {
    return this.#writer.write(edits, this.status().standing);
  }

  leaseLeft(key: RecordKey, field: string): { left: number; expires: number | null } {
    const device = this.#identity?.device ?? '';
    const lease = quotaOf(this.#record(recordKey(key))?.fields?.[field]).leases[device];
    const moved = this.#shown.laidOver(recordKey(key)).reduce((sum, { edits, verdict }) => sum + leaseMove(edits, verdict, field), 0);
    return { left: Math.max(0, (lease?.left ?? 0) + moved), expires: lease?.expires ?? null };
  }

  putAway(n: number): Promise<void> {
    return this.#store.change((draft) => {
      for (const [key, refused] of draft.list('refused')) if ((refused as Refused).op.n === n) draft.remove('refused', key);
    });
  }

  // --- Sync ---

  start(): void {
    this.#conduct.start();
  }

  stop(): void {
    this.#conduct.stop();
  }

  syncNow(): Promise<void> {
    return this.#conduct.syncNow();
  }

  hurry(): void {
    this.#conduct.hurry();
  }

  comeForward(): void {
    this.#conduct.comeForward();
  }

  /** The network has gone. */
  breakOff(): void {
    this.#conduct.breakOff();
  }

  // --- Leaving ---

  async exportQueue(): Promise<Json> {
    const identity = this.#identity;
    if (identity === undefined) throw new ApiError('auth.required');
    const ops = await this.#store.change((draft) => {
      const unanswered = queue.unanswered(draft.queue());
      if (unanswered.length > 0) queue.noteHanded(draft, unanswered.at(-1)!.n);
      return unanswered;
    });
    return fileOf(identity, ops, this.#platform.clock().wall);
  }

  async importQueue(file: Json): Promise<number> {
    const parts = partsOf(file).filter(({ device }) => device !== this.#identity?.device);
    const count = await this.#carrier.take(parts);
    if (this.status().connection === 'live') void this.#carrier.run();
    return count;
  }

  carried(): CarriedOps[] {
    const byDevice = new Map<string, CarriedOps>();
    for (const [, { device, ops, results, trouble }] of this.#carrier.carried) {
      const sum = byDevice.get(device) ?? { device, waiting: 0, applied: 0, refused: [], trouble: null };
      const refused = (results ?? []).flatMap((verdict) => (verdict.refused ? [{ n: verdict.n, refused: verdict.refused }] : []));
      byDevice.set(device, { device, waiting: sum.waiting + ops.length, applied: sum.applied + (results ?? []).length - refused.length,
                             refused: [...sum.refused, ...refused], trouble: sum.trouble ?? trouble ?? null });
    }
    return [...byDevice.values()];
  }

  forgetCarried(device: string): Promise<void> {
    return this.#carrier.forget(device);
  }

  async signOut({ discard = false } = {}): Promise<void> {
    if (this.#identity === undefined) return;
    const isHolding = () => this.#exchange.isWaiting || this.#carrier.isWaiting;
    if (!discard && isHolding()) await this.syncNow();
    await this.#store.change((draft) => {
      const carries = draft.list('carried').some(([, one]) => (one as { results?: unknown }).results === undefined);
      if (!discard && (queue.unanswered(draft.queue()).length > 0 || carries)) throw new ApiError('queue.waiting');
      if (draft.meta('wipe')?.discarded === undefined) queue.wipe(draft, true);
    });
    // The server is told now, or when there is a network again.
    await this.syncNow().catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }

  /** For a program that ends: waits for what is being stored. */
  async close(): Promise<void> {
    this.stop();
    await this.#store.close();
    this.#platform.neighbours?.close();
  }
}
