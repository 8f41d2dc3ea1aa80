// What a device says to the server and what it makes of the answers: the same over HTTP and over WebSocket.
// Each answer is taken in by transactions that leave the device whole wherever it is stopped.

import { ApiError } from './api';
import { isFinal } from './http';
import * as queue from './queue';
import type { Change, Personal, Welcome } from './queue';
import type { Entry, Progress } from './state';
import type { Store } from './store';
import type { Draft } from './tables';
import { utf8Length } from './sha256';
import type { Clock, Op, Verdict } from './types';

const PROTOCOL_VERSION = 1;
// So few that taking in their verdicts does not make a slow phone stutter.
const OPS_AT_ONCE = 50;
const CHANGES_AT_ONCE = 40;
const PAGE = 250;
// Room in a frame for what stands around the ops.
const FRAME_MARGIN = 8 * 1024;
// Before the first welcome a device knows no limits; these are the ones that the protocol promises.
const FIRST_LIMITS: Welcome['limits'] = { ops: 1000, frame_bytes: 1024 * 1024, page: 1000 };

export interface Changes {
  cursor: string;
  more: boolean;
  reset?: true;
  left: string[];
  changes: Change[];
  digests?: { scope: string; seq: number; digest: string }[];
}

export interface Receipt {
  applied: number;
  backed_up: number | null;
  results: Verdict[];
  expected?: number;
}

/** What the server says: one of them over WebSocket, several in an answer over HTTP. */
export interface ServerFrame {
  welcome?: Welcome;
  wipe?: { now: boolean };
  wiped?: object;
  receipt?: Receipt;
  changes?: Changes;
  busy?: { retry_after_ms: number };
  error?: { code: string; detail?: string };
}

/** Another program on this storage syncs now. */
export class Superseded extends Error {}

export interface ExchangeOptions {
  store: Store;
  clock: () => Clock;
  app: string;
  schemaVersion: number;
  personal: Personal;
  /** Names this program among those on the storage. */
  leader: string;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  #limits = FIRST_LIMITS;
  /** A digest that differed also after all had been fetched anew. */
  digestTrouble: string | null = null;
  /** The final error that this program was told, until it is to try again. */
  stopped: string | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  get #tables() {
    return this.#options.store.tables;
  }

  get progress(): Progress {
    return this.#tables.meta('progress')!;
  }

  get entries(): Entry[] {
    return listed<Entry>(this.#tables.entries('ops'));
  }

  /** Something has to be handed in. */
  get isWaiting(): boolean {
    for (const [, entry] of this.#tables.entries('ops')) if ((entry as Entry).verdict === null) return true;
    return false;
  }

  get isToWipe(): boolean {
    return this.#tables.meta('wipe') !== undefined;
  }

  #change<T>(decide: (draft: Draft) => T, options?: { relaxed: boolean }): Promise<T> {
    return this.#options.store.change((draft) => {
      if (draft.meta('leader') !== this.#options.leader) throw new Superseded();
      return decide(draft);
    }, options);
  }

  /** From now on this program is the one that syncs. */
  async lead(): Promise<void> {
    this.stopped = null;
    await this.#options.store.change((draft) => {
      if (draft.meta('leader') !== this.#options.leader) draft.putMeta('leader', this.#options.leader);
    });
  }

  // --- Said ---

  hello() {
    const identity = this.#tables.meta('identity')!;
    const waiting = queue.unanswered(this.entries).filter((op) => !queue.isLost(op));
    const oldest = waiting[0];
    return { v: PROTOCOL_VERSION, device: identity.device, token: identity.token, schema: this.#options.schemaVersion,
             app: this.#options.app, cursor: this.progress.cursor, clock: this.#options.clock(), queued: waiting.length,
             oldest: oldest === undefined || queue.isLost(oldest) ? 0 : oldest.wall };
  }

  /** What is to be said when there is nothing left but that: null before. */
  async wiped(): Promise<{ discarded: number } | null> {
    const order = this.#tables.meta('wipe');
    if (order === undefined) return null;
    if (order.discarded !== undefined) return { discarded: order.discarded };
    if (!order.now && queue.unanswered(this.entries).length > 0) return null;
    await this.#change((draft) => {
      const { now, discarded } = draft.meta('wipe') ?? { now: false };
      const isDue = draft.meta('wipe') !== undefined && (now || queue.unanswered(draft.queue()).length === 0);
      if (isDue && discarded === undefined) queue.wipe(draft, now);
    });
    const after = this.#tables.meta('wipe');
    return after?.discarded === undefined ? null : { discarded: after.discarded };
  }

  /** The first ops that are to be handed in, as many as fit in one push. */
  async batch(): Promise<Op[]> {
    if (this.#tables.meta('wipe')?.now) return [];
    if (queue.unanswered(this.entries).length === 0) return [];
    return this.#change((draft) => {
      const most = Math.min(OPS_AT_ONCE, this.#limits.ops);
      const batch = firstThatFit(queue.unanswered(draft.queue()), most, this.#limits.frame_bytes - FRAME_MARGIN);
      if (batch.length > 0) queue.noteHanded(draft, batch.at(-1)!.n);
      return batch;
    });
  }

  pull() {
    return { cursor: this.progress.cursor, limit: Math.min(PAGE, this.#limits.page) };
  }

  // --- Heard ---

  async takeWelcome(welcome: Welcome): Promise<void> {
    this.#limits = { ...FIRST_LIMITS, ...welcome.limits };
    const { wall } = this.#options.clock();
    await this.#change((draft) => {
      // An order that still stands follows the welcome.
      if (draft.meta('wipe')?.discarded === undefined) draft.putMeta('wipe', undefined);
      draft.putMeta('stopped', undefined);
      queue.takeWelcome(draft, welcome);
      queue.update(draft, { skew: welcome.server.time - wall });
    });
  }

  async takeWipe({ now }: { now: boolean }): Promise<void> {
    await this.#change((draft) => {
      const before = draft.meta('wipe');
      if (before?.discarded === undefined) draft.putMeta('wipe', { now });
    });
  }

  async takeWiped(): Promise<void> {
    await this.#change(queue.forgetIdentity);
  }

  async takeReceipt(receipt: Receipt): Promise<void> {
    const { wall } = this.#options.clock();
    await this.#change((draft) => {
      queue.takeVerdicts(draft, receipt.results, receipt.applied, receipt.backed_up);
      if (receipt.expected !== undefined) queue.fillGaps(draft, receipt.expected);
      queue.forgetPersonal(draft, this.#options.personal);
      queue.update(draft, { lastContact: wall });
    });
  }

  /** `asked`: it is the answer to a pull, not sent by the server on its own. True when the device must pull again
   *  although the server has said that this is all. */
  async takeChanges(message: Changes, { asked }: { asked: boolean }): Promise<boolean> {
    const { changes } = message;
    for (let at = 0; ; at += CHANGES_AT_ONCE) {
      const part = changes.slice(at, at + CHANGES_AT_ONCE).map((change) => ({ change, hash: queue.hashOf(change) }));
      const isLast = at + CHANGES_AT_ONCE >= changes.length;
      const again = await this.#change((draft) => {
        if (at === 0) this.#beginMessage(draft, message, asked);
        for (const { change, hash } of part) queue.takeChange(draft, change, hash);
        return isLast && this.#endMessage(draft, message, asked);
        // The cursor comes with the last part: until it is kept the power may fail.
      }, { relaxed: !isLast });
      if (isLast) return again;
    }
  }

  #beginMessage(draft: Draft, { reset, left }: Changes, asked: boolean): void {
    if (reset) queue.startFromNothing(draft);
    if (asked) queue.noteFirstPage(draft);
    for (const scope of left) queue.forgetScope(draft, scope);
  }

  #endMessage(draft: Draft, { cursor, more, changes, digests = [] }: Changes, asked: boolean): boolean {
    queue.stopShowingWhatHasCome(draft);
    const { filling } = queue.progressOf(draft);
    queue.update(draft, { cursor, lastContact: this.#options.clock().wall, filling: filling === null ? null : filling + changes.length });
    if (asked && !more) queue.noteLastPage(draft);
    queue.dropWhatIsDone(draft);
    queue.forgetPersonal(draft, this.#options.personal);
    return this.#compare(draft, digests, more);
  }

  #compare(draft: Draft, digests: { scope: string; seq: number; digest: string }[], more: boolean): boolean {
    const differing = digests.filter(({ scope, digest }) => digest !== draft.digest(scope));
    for (const told of digests) if (!differing.includes(told)) queue.noteDigest(draft, told.scope, told.seq);
    const { afresh } = queue.progressOf(draft);
    if (differing.length === 0) {
      if (digests.length > 0 && !more && afresh) queue.update(draft, { afresh: false });
      if (digests.length > 0) this.digestTrouble = null;
      return false;
    }
    if (afresh) {
      this.digestTrouble = 'digest.differs';
      return false;
    }
    queue.startFromNothing(draft);
    queue.update(draft, { afresh: true });
    return true;
  }

  /** True when the device can help itself and go on; a final error stops it. */
  async takeError({ code, detail }: { code: string; detail?: string }): Promise<boolean> {
    if (code === 'cursor.invalid') {
      await this.#change(queue.startFromNothing);
      return true;
    }
    if (isFinal(code)) await this.#stop(code);
    else if (code !== 'device.changed') throw new ApiError(code, detail);
    return false;
  }

  // A device that has removed everything is done with any of these errors in place of the answer.
  async #stop(code: string): Promise<void> {
    await this.#change((draft) => {
      const order = draft.meta('wipe');
      if (order?.discarded !== undefined && code.startsWith('auth.')) queue.forgetIdentity(draft);
      else if (!(order?.now && code === 'auth.revoked')) draft.putMeta('stopped', code);
    });
    this.stopped = this.#tables.meta('stopped') ?? null;
  }
}

export function listed<T>(rows: Iterable<[string, unknown]>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value as T);
}

export function firstThatFit(ops: Op[], mostOps: number, mostBytes: number): Op[] {
  let bytes = 0;
  const end = ops.findIndex((op, i) => {
    bytes += utf8Length(JSON.stringify(op)) + 1;
    return i > 0 && (i >= mostOps || bytes > mostBytes);
  });
  return end < 0 ? ops : ops.slice(0, end);
}

