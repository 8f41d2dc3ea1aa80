// The live side of a device: one WebSocket connection after another, for as long as it is wanted.

import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';

// Keeps one connection at a time, and comes back when it breaks.
export class Live {
  #device;
  #address;
  #session = null;
  #ended = new AbortController();
  #finished = Promise.resolve();

  constructor(device, url) {
    this.#device = device;
    this.#address = liveAddress(url);
  }

  run() {
    this.#finished = this.#comeBackUntilEnded();
  }

  async #comeBackUntilEnded() {
    let failures = 0;
    while (!this.#ended.signal.aborted && this.#device.stopped === null) {
      this.#session = new Session(this.#device, this.#address);
      const wentWell = await this.#session.closed;
      failures = wentWell ? 1 : failures + 1;
      await pause(this.#device.backoff(failures), undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }

  get caughtUp() {
    return this.#session?.caughtUp ?? false;
  }

  goOn() {
    this.#session?.goOn();
  }

  breakOff() {
    this.#session?.breakOff();
  }

  async end() {
    this.#ended.abort();
    this.#session?.close();
    await this.#finished;
  }
}

// One connection from hello to its end. One message at a time is on its way, so an answer needs no
// label: what comes is either for it, or changes that the server sends by itself.
class Session {
  #device;
  #socket;
  #asked = null;
  #replyTimer;
  #welcomed = false;
  #wentWell = false;
  #open = true;
  caughtUp = false;

  constructor(device, address) {
    this.#device = device;
    device.counts.connections += 1;
    this.#socket = new WebSocket(address, { handshakeTimeout: device.replyTimeoutMs });
    this.#socket.on('open', () => this.goOn());
    this.#socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.on('close', () => resolve(this.#onClose())));
  }

  close() {
    this.#socket.close(1000);
  }

  // What the socket has already received may still be handed over afterwards. It is not taken in: the
  // answer before it may be the one that was lost.
  breakOff() {
    this.#open = false;
    this.#socket.terminate();
  }

  // Says whatever is to be said next, if it is this side's turn.
  goOn() {
    if (this.#asked !== null || !this.#open || this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#welcomed) return this.#ask('hello', this.#device.hello());
    const wiped = this.#device.wipedMessage();
    if (wiped !== null) return this.#ask('wiped', wiped);
    const batch = this.#device.nextBatch();
    if (batch.length > 0) return this.#ask('push', { ops: batch });
    if (!this.caughtUp) this.#ask('pull', this.#device.pullMessage());
  }

  #ask(kind, message) {
    this.#asked = kind;
    this.#replyTimer = setTimeout(() => this.breakOff(), this.#device.replyTimeoutMs);
    const frame = { [kind]: message };
    this.#device.watch.sentFrame(frame);
    this.#socket.send(JSON.stringify(frame));
  }

  #onMessage(data, isBinary) {
    if (!this.#open) return;
    try {
      if (isBinary) throw new Error('the server sent a binary frame');
      const frame = JSON.parse(data.toString('utf8'));
      if (this.#isLost(frame)) return this.breakOff();
      this.#device.watch.receivedFrame(frame);
      this.#take(frame);
    } catch (error) {
      this.breakOff();
      return this.#device.fail(error);
    }
    this.#device.noteLiveChange();
    this.goOn();
  }

  // A lost answer takes the connection with it: TCP does not lose single messages.
  #isLost(frame) {
    const isUnasked = 'wipe' in frame || ('changes' in frame && this.#asked !== 'pull');
    return !isUnasked && this.#asked !== null && this.#device.faults.takes([this.#asked]);
  }

  #take(frame) {
    if (frame.welcome) return this.#takeWelcome(frame.welcome);
    if (frame.wipe) return this.#takeWipe(frame.wipe);
    if (frame.wiped) return this.#takeWiped();
    if (frame.receipt) return this.#takeReceipt(frame.receipt);
    if (frame.changes) return this.#takeChanges(frame.changes);
    if (frame.busy) return this.#waitBeforeAsking(frame.busy.retry_after_ms);
    if (frame.error) return this.#takeError(frame.error);
  }

  #takeWelcome(welcome) {
    this.#answered('hello');
    this.#welcomed = true;
    this.#device.takeWelcome(welcome);
  }

  // It follows the welcome, or stands in its place for a device that is shut out.
  #takeWipe(wipe) {
    if (!this.#welcomed) this.#answered('hello');
    this.#welcomed = true;
    this.#device.takeWipe(wipe);
  }

  #takeWiped() {
    this.#answered('wiped');
    this.#device.takeWiped();
    this.breakOff();
  }

  #takeReceipt(receipt) {
    this.#answered('push');
    this.#device.takeReceipt(receipt);
  }

  // While the device is caught up they come unasked; otherwise they are the answer to its pull.
  #takeChanges(changes) {
    const asked = !this.caughtUp;
    if (asked) this.#answered('pull');
    const again = this.#device.takeChanges(changes, { asked });
    this.caughtUp = !changes.more && !again;
    this.#wentWell ||= this.caughtUp;
    // Changes that the server sends by itself could cross the pull that starts from nothing.
    if (again) this.breakOff();
  }

  #takeError(error) {
    this.#answered(this.#asked);
    if (!this.#device.takeError(error)) this.breakOff();
    this.caughtUp = false;
  }

  #waitBeforeAsking(ms) {
    this.#answered(this.#asked);
    this.#asked = 'nothing for now';
    setTimeout(() => this.#askAgain(), ms);
  }

  #askAgain() {
    if (this.#asked === 'nothing for now') this.#asked = null;
    this.goOn();
  }

  #answered(kind) {
    if (this.#asked !== kind) throw new Error(`an answer to ${kind} while ${this.#asked} was asked`);
    clearTimeout(this.#replyTimer);
    this.#asked = null;
  }

  #onClose() {
    this.#open = false;
    this.caughtUp = false;
    clearTimeout(this.#replyTimer);
    this.#device.noteLiveChange();
    return this.#wentWell;
  }
}

function liveAddress(url) {
  const address = new URL('/v1/live', url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return address;
}
