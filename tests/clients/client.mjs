// A device that works offline and syncs when it can. Written from docs/protocol.md alone, in the order
// of its chapter "How to write a client"; the numbers in the comments below are the steps there.

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ScopeDigest } from './canonical.mjs';
import { Live } from './live.mjs';
import { overlaid } from './overlay.mjs';
import { dropWhatIsDone, fillGaps, forgetRecords, forgetScope, forgetVerdictsAfter, opKey, recordKey, renumber,
         noteFirstPage, noteLastPage, stopShowingWhatHasCome, takeChange, takeVerdict } from './queue.mjs';
import { MemoryStorage } from './storage.mjs';

export const PROTOCOL_VERSION = 1;

// Before the first welcome a device knows no limits; these are the ones the protocol promises.
const FIRST_LIMITS = { ops: 1000, frame_bytes: 1024 * 1024, page: 1000 };
// `next` is the number of the next op, `handed` the highest that ever left the device. `reflected` is
// the highest n whose effect is in the records; `reflecting` the one that will be, once the pull under
// way has come to its end (null when none is).
const FRESH_PROGRESS = { next: 1, handed: 0, applied: 0, cursor: '', reflected: 0, reflecting: null };
// Room in a frame for what stands around the ops.
const FRAME_MARGIN = 8 * 1024;

// No answer came, or none that can be understood: whether the server took the message is unknown.
export class NoAnswer extends Error {}

// The server was there and said that it did not take the message.
export class Refused extends Error {
  constructor({ code, detail }, status) {
    super(`${code}: ${detail ?? ''}`);
    Object.assign(this, { code, detail, status });
  }
}

// The server asks to be left alone for a while.
export class Busy extends Error {
  constructor(retryAfterMs) {
    super(`busy, try again after ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

// Errors after which trying again with the same identity or the same program is pointless.
function isFinal(code) {
  return code.startsWith('auth.') || code === 'version.unsupported';
}

// For tests: answers that get lost on the way. The server has done its part by then.
export class Faults {
  #lost = [];

  loseReplyOf(kind) {
    this.#lost.push(kind);
  }

  // Whether the answer to a frame with these messages is to be lost; each order is carried out once.
  takes(kinds) {
    const at = this.#lost.findIndex((kind) => kinds.includes(kind));
    if (at < 0) return false;
    this.#lost.splice(at, 1);
    return true;
  }
}

// The clocks of this machine. `boot` is new at every start; for a test a start is a new object.
export function systemClock(boot = randomUUID()) {
  return () => ({ wall: Date.now(), mono: Math.floor(performance.now()), boot });
}

// Lets a test watch what goes over the wire, and check it.
const NO_WATCH = { sentFrame() {}, receivedFrame() {}, sentBody() {}, receivedBody() {} };

export class Device {
  #url;
  #live = null;
  #watchers = new Set();
  // A digest that does not match leads to a fresh start; a second one in a row is reported.
  #startedAfresh = false;

  constructor({ url, storage = new MemoryStorage(), clock = systemClock(), app = 'tests/clients 1',
                watch = NO_WATCH, faults = new Faults(), pageLimit, opsPerPush = FIRST_LIMITS.ops,
                attempts = 8, firstBackoffMs = 50, mostBackoffMs = 5000, replyTimeoutMs = 20_000 }) {
    this.#url = url;
    Object.assign(this, { storage, clock, app, watch, faults, pageLimit, opsPerPush, attempts,
                          firstBackoffMs, mostBackoffMs, replyTimeoutMs });
    this.limits = FIRST_LIMITS;
    // Why the device gave up, an `auth.*` code for instance; null while it has not.
    this.stopped = null;
    // The office has had it wiped, and knows that it is done.
    this.isWiped = false;
    // What the server said that could not be taken in; the device stops over it.
    this.failure = null;
    this.lastError = null;
    this.counts = { digestsMatched: 0, digestsDiffered: 0, resets: 0, connections: 0 };
  }

  // --- 1. Enrol once ----------------------------------------------------------------------------

  // The request id is stored before it is sent: when the answer gets lost, even together with the
  // running program, the same request is made again and yields the same device.
  async enroll(code, name = 'test device') {
    if (this.id !== undefined) return this.id;
    const request = this.#requestFor(code);
    this.isWiped = false;
    this.stopped = null;
    const reply = await this.#untilAnswered(() => this.#post('/v1/enroll', { code, request, name, app: this.app }, ['enroll']));
    this.storage.transaction((tx) => {
      tx.put('meta', 'identity', { device: reply.device, token: reply.token });
      tx.put('meta', 'progress', { ...FRESH_PROGRESS, incarnation: reply.incarnation, scopes: reply.scopes, role: reply.role });
      tx.remove('meta', 'enrolling');
    });
    return reply.device;
  }

  #requestFor(code) {
    const begun = this.storage.get('meta', 'enrolling');
    if (begun?.code === code) return begun.request;
    const request = randomBytes(16).toString('hex');
    this.storage.transaction((tx) => tx.put('meta', 'enrolling', { code, request }));
    return request;
  }

  get id() {
    return this.#identity?.device;
  }

  get token() {
    return this.#identity?.token;
  }

  get #identity() {
    return this.storage.get('meta', 'identity');
  }

  get progress() {
    return this.storage.get('meta', 'progress');
  }

  get scopes() {
    return this.progress.scopes;
  }

  // What it may read and write; undefined where the server does not say.
  get role() {
    return this.progress.role;
  }

  // --- 2. An edit -------------------------------------------------------------------------------

  // `edits` holds set, inc, add, remove, append or del. Works without any network.
  edit(scope, coll, id, edits, { schema = 1, clock = this.clock() } = {}) {
    const op = this.storage.transaction((tx) => {
      const progress = tx.get('meta', 'progress');
      const base = tx.get('records', recordKey({ scope, coll, id }))?.seq ?? 0;
      const fresh = { n: progress.next, scope, coll, id, ...clock, schema, base, ...edits };
      tx.put('ops', opKey(fresh.n), { op: fresh, verdict: null, showing: true });
      tx.put('meta', 'progress', { ...progress, next: progress.next + 1 });
      return fresh;
    });
    this.#changed();
    this.#live?.goOn();
    return op;
  }

  // What the user sees of one record; undefined when there is none.
  view(scope, coll, id) {
    const ops = this.#entries().filter(({ op, showing }) => showing && op.scope === scope && op.coll === coll && op.id === id);
    const shown = overlaid(this.record(scope, coll, id), ops.map(({ op }) => op), this.id);
    return shown === undefined || shown.deleted ? undefined : shown;
  }

  // One record as the server sent it last, deleted ones too.
  record(scope, coll, id) {
    return this.storage.get('records', recordKey({ scope, coll, id }));
  }

  // All records as the server sent them, of one scope or of all.
  records(scope) {
    return this.storage.list('records', scope === undefined ? '' : `${scope} `).map(([, record]) => record);
  }

  digest(scope) {
    return this.storage.get('digests', scope) ?? new ScopeDigest().toString();
  }

  // Ops that the server has not given a verdict on, as far as the device knows.
  waiting() {
    const { applied } = this.progress;
    return this.#entries().filter(({ op }) => op.n > applied).map(({ op }) => op);
  }

  // Everything in the queue, also what waits only for a backup or for its record.
  queue() {
    return this.#entries();
  }

  // What the server refused, for the user to see: [{op, refused}].
  refusals() {
    return this.storage.list('meta', 'refused ').map(([, refusal]) => refusal);
  }

  #entries() {
    return this.storage.list('ops').map(([, entry]) => entry);
  }

  // --- 3. Sync over HTTP ------------------------------------------------------------------------

  // Hands in all that waits and takes in all there is. Nothing is pushed before the welcome has said
  // which numbers are free: this storage may be an older copy of itself.
  async sync() {
    this.#refuseIfStopped();
    let last = {};
    if (this.wipe !== null) return this.#syncToWipe();
    for (let greeted = false; last.changes?.more !== false || last.again || !this.#isReflected(); greeted = true) {
      last = await this.#untilAnswered(() => this.#syncOnce(greeted));
      if (this.wipe !== null) return this.#syncToWipe();
    }
  }

  // Hands in what waits, if it may, then removes everything and says so.
  async #syncToWipe() {
    while (!this.isWiped) {
      const wiped = this.wipedMessage();
      const batch = wiped === null ? this.nextBatch() : [];
      const frame = { hello: this.hello(), ...(wiped !== null && { wiped }), ...(batch.length > 0 && { push: { ops: batch } }) };
      await this.#untilAnswered(async () => this.#takeSyncReply(await this.#post('/v1/sync', frame, Object.keys(frame))));
      if (this.wipe === null && !this.isWiped) return this.sync();
    }
  }

  // Nothing waits, and all that was handed in is in the records.
  #isReflected() {
    const { applied, reflected } = this.progress;
    return reflected >= applied && this.waiting().length === 0;
  }

  async #syncOnce(greeted) {
    const frame = { hello: this.hello(), ...(greeted || this.waiting().length === 0 ? this.#pushAndPull() : {}) };
    return this.#takeSyncReply(await this.#post('/v1/sync', frame, Object.keys(frame)));
  }

  #pushAndPull() {
    const batch = this.nextBatch();
    return { ...(batch.length > 0 && { push: { ops: batch } }), pull: this.pullMessage() };
  }

  // A reply may hold some answers and then an error: what was answered is taken in before the error
  // is acted upon, or a stale cursor would hold up the receipts for ever.
  #takeSyncReply(reply) {
    if (reply.wiped) return this.takeWiped();
    if (reply.welcome) this.takeWelcome(reply.welcome);
    if (reply.wipe) this.takeWipe(reply.wipe);
    if (reply.receipt) this.takeReceipt(reply.receipt);
    const again = reply.changes ? this.takeChanges(reply.changes, { asked: true }) : false;
    if (reply.busy) throw new Busy(reply.busy.retry_after_ms);
    // A device that is shut out may be told to wipe itself, and nothing else.
    if (reply.error && this.wipe?.now && reply.error.code === 'auth.revoked') return { ...reply, again: true };
    if (reply.error) {
      if (!this.takeError(reply.error)) throw new Refused(reply.error);
      return { ...reply, again: true };
    }
    return { ...reply, again };
  }

  // 4. If the answer does not come, the same again: nothing is ever applied twice.
  async #untilAnswered(send) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const isWorthAnotherTry = error instanceof NoAnswer || error instanceof Busy;
        if (!isWorthAnotherTry || attempt >= this.attempts) throw error;
        await pause(error instanceof Busy ? error.retryAfterMs : this.backoff(attempt));
      }
    }
  }

  // Doubles each time, and is spread out so that a hundred phones do not come back in one moment.
  backoff(attempt) {
    const most = Math.min(this.mostBackoffMs, this.firstBackoffMs * 2 ** (attempt - 1));
    return most / 2 + Math.random() * (most / 2);
  }

  // An answer with a 2xx status, or a sync reply whatever its status; anything else is thrown.
  async #post(path, body, kinds) {
    this.watch.sentBody('POST', path, body);
    const { status, headers, reply } = await this.#answerTo(path, body, kinds);
    this.watch.receivedBody('POST', path, status, reply);
    if (status < 300 || holdsReplies(reply)) return reply;
    if (status === 429 || status === 503) throw new Busy(1000 * Number(headers.get('retry-after') ?? 1));
    if (status >= 500) throw new NoAnswer(`the server failed: ${reply.code}`);
    if (isFinal(reply.code)) this.#stop(reply.code);
    throw new Refused(reply, status);
  }

  async #answerTo(path, body, kinds) {
    try {
      const response = await fetch(new URL(path, this.#url), {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
        signal: AbortSignal.timeout(this.replyTimeoutMs),
      });
      const text = await response.text();
      if (this.faults.takes(kinds)) throw new Error('lost on the way, as the test wanted');
      return { status: response.status, headers: response.headers, reply: JSON.parse(text) };
    } catch (error) {
      throw new NoAnswer(`no answer from ${path}`, { cause: error });
    }
  }

  // --- What is said, and what is made of the answers; the same over HTTP and over WebSocket ------

  // The order of the office, or null: {now}, and once it has been carried out {discarded}.
  get wipe() {
    return this.storage.get('meta', 'wipe') ?? null;
  }

  // Removes all that it holds but the identity, which is needed once more to say so.
  #wipeIfDue() {
    const { wipe } = this;
    if (wipe === null || wipe.discarded !== undefined) return;
    const discarded = this.waiting().length;
    if (!wipe.now && discarded > 0) return;
    this.storage.transaction((tx) => {
      for (const table of ['ops', 'records', 'digests', 'meta']) {
        for (const [key] of tx.list(table)) if (!['identity', 'progress'].includes(key)) tx.remove(table, key);
      }
      tx.put('meta', 'progress', { ...FRESH_PROGRESS, incarnation: this.progress.incarnation, scopes: [] });
      tx.put('meta', 'wipe', { ...wipe, discarded });
    });
    this.#changed();
  }

  // What is to be said when there is nothing left but that: null before.
  wipedMessage() {
    this.#wipeIfDue();
    return this.wipe?.discarded === undefined ? null : { discarded: this.wipe.discarded };
  }

  takeWipe({ now }) {
    this.storage.transaction((tx) => tx.put('meta', 'wipe', { ...tx.get('meta', 'wipe'), now }));
    this.#changed();
  }

  // The office knows: the device forgets who it was.
  takeWiped() {
    this.storage.transaction((tx) => {
      for (const key of ['identity', 'wipe']) tx.remove('meta', key);
      tx.put('meta', 'progress', FRESH_PROGRESS);
    });
    this.isWiped = true;
    this.#stop('wiped');
  }

  hello() {
    const waiting = this.waiting();
    const { device, token } = this.#identity;
    return { v: PROTOCOL_VERSION, device, token, schema: 1, app: this.app, cursor: this.progress.cursor,
             clock: this.clock(), queued: waiting.length, oldest: waiting[0]?.wall ?? 0 };
  }

  pullMessage() {
    return { cursor: this.progress.cursor, ...(this.pageLimit !== undefined && { limit: this.pageLimit }) };
  }

  // The first ops that wait, as many as fit in one push. It is written down that they are handed out:
  // only an op that never left the device may still get another number.
  nextBatch() {
    const batch = firstThatFit(this.waiting(), Math.min(this.limits.ops, this.opsPerPush), this.limits.frame_bytes - FRAME_MARGIN);
    if (batch.length > 0) this.#updateProgress(({ handed }) => ({ handed: Math.max(handed, batch.at(-1).n) }));
    return batch;
  }

  takeWelcome(welcome) {
    this.limits = welcome.limits;
    this.storage.transaction((tx) => {
      const before = tx.get('meta', 'progress');
      const { incarnation } = welcome.server;
      // An order that still stands follows the welcome.
      if (tx.get('meta', 'wipe')?.discarded === undefined) tx.remove('meta', 'wipe');
      // 5. Verdicts of another incarnation count for nothing, except as far as `applied` says so.
      if (incarnation !== before.incarnation) forgetVerdictsAfter(tx, welcome.applied);
      // More is applied than this storage ever handed out: it is an older copy of itself, and its own
      // new ops carry numbers that are taken.
      if (welcome.applied > before.handed) renumber(tx, before.handed + 1, welcome.applied + 1);
      fillGaps(tx, welcome.applied + 1);
      const after = incarnation === before.incarnation ? tx.get('meta', 'progress')
        : { ...tx.get('meta', 'progress'), reflected: 0, reflecting: null };
      tx.put('meta', 'progress', { ...after, incarnation, scopes: welcome.scopes, role: welcome.role, applied: welcome.applied,
                                   handed: Math.max(after.handed, welcome.applied) });
      dropWhatIsDone(tx, welcome);
    });
    this.#changed();
  }

  takeReceipt(receipt) {
    this.storage.transaction((tx) => {
      for (const verdict of receipt.results) takeVerdict(tx, verdict);
      tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), applied: receipt.applied });
      if (receipt.expected !== undefined) fillGaps(tx, receipt.expected);
      dropWhatIsDone(tx, receipt);
    });
    this.#changed();
  }

  // `asked`: it is the answer to a pull, not sent by the server on its own. True when the device must
  // pull again although the server has said that this is all.
  takeChanges(message, { asked }) {
    this.storage.transaction((tx) => {
      if (asked) noteFirstPage(tx);
      if (message.reset) forgetRecords(tx);
      for (const scope of message.left) forgetScope(tx, scope);
      for (const change of message.changes) takeChange(tx, change);
      stopShowingWhatHasCome(tx);
      if (asked && !message.more) noteLastPage(tx);
      dropWhatIsDone(tx, { backed_up: tx.get('meta', 'progress').backedUp });
      tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), cursor: message.cursor });
    });
    if (message.reset) this.counts.resets += 1;
    const again = this.#digestsDiffer(message.digests ?? []);
    this.#changed();
    return again;
  }

  #digestsDiffer(digests) {
    const differing = digests.filter(({ scope, digest }) => digest !== this.digest(scope));
    this.counts.digestsMatched += digests.length - differing.length;
    this.counts.digestsDiffered += differing.length;
    if (differing.length === 0) {
      if (digests.length > 0) this.#startedAfresh = false;
      return false;
    }
    if (this.#startedAfresh) throw new Error(`digest of ${differing[0].scope} differs even after a fresh start`);
    this.#startFromNothing();
    this.#startedAfresh = true;
    return true;
  }

  // True when the device can help itself and go on.
  takeError(error) {
    this.lastError = error;
    if (isFinal(error.code)) this.#stop(error.code);
    if (error.code !== 'cursor.invalid') return false;
    this.#startFromNothing();
    return true;
  }

  #startFromNothing() {
    this.storage.transaction((tx) => {
      forgetRecords(tx);
      tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), cursor: '', reflecting: null });
    });
  }

  #updateProgress(change) {
    this.storage.transaction((tx) => {
      const progress = tx.get('meta', 'progress');
      tx.put('meta', 'progress', { ...progress, ...change(progress) });
    });
  }

  #stop(code) {
    this.stopped = code;
    this.#changed();
  }

  // A message that cannot be taken in must not be passed over in silence.
  fail(error) {
    this.failure = error;
    this.#stop('client.failed');
  }

  #refuseIfStopped() {
    if (this.stopped !== null) throw new Refused({ code: this.stopped, detail: 'the device has stopped' });
  }

  // --- Live over WebSocket ----------------------------------------------------------------------

  // Stays connected, and comes back after every break, until disconnect() or a final error.
  connect() {
    this.#refuseIfStopped();
    if (this.#live) return;
    this.#live = new Live(this, this.#url);
    this.#live.run();
  }

  async disconnect() {
    const live = this.#live;
    this.#live = null;
    await live?.end();
  }

  // Whether it holds, or tries to hold, a live connection.
  get isConnecting() {
    return this.#live !== null;
  }

  get isLive() {
    return this.#live?.caughtUp ?? false;
  }

  // For tests: the connection breaks without a goodbye.
  breakConnection() {
    this.#live?.breakOff();
  }

  // Resolves when condition() holds; it is asked again after everything that changes the device.
  async until(condition, what = condition.toString(), timeoutMs = 15_000) {
    if (condition()) return;
    await new Promise((resolve, reject) => {
      const finish = (settle) => { clearTimeout(timer); this.#watchers.delete(look); settle(); };
      const look = () => {
        if (this.failure) finish(() => reject(this.failure));
        else if (condition()) finish(resolve);
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`not within ${timeoutMs} ms: ${what}`))), timeoutMs);
      this.#watchers.add(look);
    });
  }

  // Connected, nothing left to hand in, nothing left to take in.
  async settled() {
    await this.until(() => this.isLive && this.waiting().length === 0, 'live and settled');
  }

  #changed() {
    for (const look of [...this.#watchers]) look();
  }

  // The live connection tells that its own state has changed.
  noteLiveChange() {
    this.#changed();
  }
}

function firstThatFit(ops, mostOps, mostBytes) {
  let bytes = 0;
  const end = ops.findIndex((op, i) => {
    bytes += Buffer.byteLength(JSON.stringify(op)) + 1;
    return i > 0 && (i >= mostOps || bytes > mostBytes);
  });
  return end < 0 ? ops : ops.slice(0, end);
}

function holdsReplies(reply) {
  return ['welcome', 'wipe', 'wiped', 'receipt', 'changes', 'busy', 'error'].some((key) => key in reply);
}
