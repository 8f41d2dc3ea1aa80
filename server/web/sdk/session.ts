// One live connection, from hello to its end. One message at a time is on its way, so an answer needs no label:
// what comes is either for it, or changes that the server sends by itself.

import { ApiError, codeOf } from './api';
import type { Changes, Exchange, Receipt, ServerFrame } from './exchange';
import { Superseded } from './exchange';
import type { Welcome } from './queue';
import type { Transport } from './types';

const REPLY_TIMEOUT_MS = 30_000;
// After so long without a word from the server it is asked whether it is still there: browsers tell nobody of a
// line that is dead. It has to answer sooner than to anything else.
const SILENCE_MS = 60_000;
const PROBE_TIMEOUT_MS = 10_000;
// What the server has sent and the device has not yet taken in; beyond that it connects again and pulls.
const MOST_UNTAKEN = 8 * 1024 * 1024;

type Kind = 'hello' | 'wiped' | 'push' | 'pull';

export interface SessionEnd {
  /** It had come so far that the device held all. */
  wentWell: boolean;
  opened: boolean;
  /** So long the server wants to be left alone. */
  busyMs: number;
  /** A stable code, or null where the connection just ended. */
  trouble: string | null;
  superseded: boolean;
}

export class Session {
  readonly #exchange: Exchange;
  readonly #onProgress: () => void;
  readonly #socket: ReturnType<Transport['connect']>;
  readonly #end: SessionEnd = { wentWell: false, opened: false, busyMs: 0, trouble: null, superseded: false };
  readonly ended: Promise<SessionEnd>;
  #resolveEnd!: (end: SessionEnd) => void;
  #asked: Kind | 'nothing for now' | null = null;
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #welcomed = false;
  #open = true;
  #untaken = 0;
  // Answers are taken in one after the other.
  #taking: Promise<void> = Promise.resolve();
  caughtUp = false;

  constructor(exchange: Exchange, transport: Transport, address: string, onProgress: () => void) {
    this.#exchange = exchange;
    this.#onProgress = onProgress;
    this.ended = new Promise((resolve) => (this.#resolveEnd = resolve));
    this.#timer = setTimeout(() => this.breakOff('offline'), REPLY_TIMEOUT_MS);
    this.#socket = transport.connect(address, {
      onOpen: () => {
        this.#end.opened = true;
        clearTimeout(this.#timer);
        this.goOn();
      },
      onMessage: (text) => this.#onMessage(text),
      onClose: () => this.#onClose(),
    });
  }

  get isWelcomed(): boolean {
    return this.#welcomed;
  }

  breakOff(trouble: string | null = null): void {
    if (!this.#open) return;
    this.#open = false;
    this.#end.trouble ??= trouble;
    this.#socket.close();
    this.#onClose();
  }

  /** Asks whether the line is still there: a pull, the answer to which is known to be nothing. */
  probe(): void {
    if (!this.caughtUp || this.#asked !== null || this.#isAsking) return;
    this.#ask('pull', this.#exchange.pull(), PROBE_TIMEOUT_MS);
  }

  /** Says whatever is to be said next, if it is this side's turn. */
  goOn(): void {
    if (this.#asked !== null || this.#isAsking || !this.#open || !this.#end.opened) return;
    this.#isAsking = true;
    this.#next().then(
      (next) => {
        this.#isAsking = false;
        if (next !== null && this.#open) this.#ask(...next);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  async #next(): Promise<[Kind, unknown] | null> {
    if (!this.#welcomed) return ['hello', this.#exchange.hello()];
    const wiped = await this.#exchange.wiped();
    if (wiped !== null) return ['wiped', wiped];
    const batch = await this.#exchange.batch();
    if (batch.length > 0) return ['push', { ops: batch }];
    return this.caughtUp ? null : ['pull', this.#exchange.pull()];
  }

  #ask(kind: Kind, message: unknown, timeoutMs = REPLY_TIMEOUT_MS): void {
    this.#asked = kind;
    this.#timer = setTimeout(() => this.breakOff('offline'), timeoutMs);
    this.#socket.send(JSON.stringify({ [kind]: message }));
  }

  #onMessage(text: string): void {
    if (!this.#open) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.probe(), SILENCE_MS);
    this.#untaken += text.length;
    if (this.#untaken > MOST_UNTAKEN) return this.breakOff();
    this.#taking = this.#taking.then(async () => {
      if (!this.#open) return;
      try {
        await this.#take(JSON.parse(text) as ServerFrame);
      } catch (error) {
        return this.#fail(error);
      }
      this.#untaken -= text.length;
      this.#onProgress();
      this.goOn();
    });
  }

  async #take(frame: ServerFrame): Promise<void> {
    if (frame.welcome) return this.#takeWelcome(frame.welcome);
    if (frame.wipe) return this.#takeWipe(frame.wipe);
    if (frame.wiped) return this.#takeWiped();
    if (frame.receipt) return this.#takeReceipt(frame.receipt);
    if (frame.changes) return this.#takeChanges(frame.changes);
    if (frame.busy) return this.#waitBeforeAsking(frame.busy.retry_after_ms);
    if (frame.error) return this.#takeError(frame.error);
  }

  async #takeWelcome(welcome: Welcome): Promise<void> {
    this.#answered('hello');
    await this.#exchange.takeWelcome(welcome);
    this.#welcomed = true;
  }

  // It follows the welcome, or stands in its place for a device that is shut out.
  async #takeWipe(wipe: { now: boolean }): Promise<void> {
    if (!this.#welcomed) this.#answered('hello');
    await this.#exchange.takeWipe(wipe);
    this.#welcomed = true;
  }

  async #takeWiped(): Promise<void> {
    this.#answered('wiped');
    await this.#exchange.takeWiped();
    this.breakOff();
  }

  async #takeReceipt(receipt: Receipt): Promise<void> {
    this.#answered('push');
    await this.#exchange.takeReceipt(receipt);
  }

  // While the device is caught up they come unasked; otherwise they are the answer to its pull.
  async #takeChanges(changes: Changes): Promise<void> {
    const asked = !this.caughtUp;
    if (asked) this.#answered('pull');
    // A probe. What the server sent by itself meanwhile is as good a sign of life; the answer then comes unasked.
    else if (this.#asked === 'pull') this.#answered('pull');
    const again = await this.#exchange.takeChanges(changes, { asked });
    this.caughtUp = !changes.more && !again;
    this.#end.wentWell ||= this.caughtUp;
    // Changes that the server sends by itself could cross the pull that starts from nothing.
    if (again) this.breakOff();
  }

  async #takeError(error: { code: string; detail?: string }): Promise<void> {
    const asked = this.#asked;
    this.#end.trouble = error.code;
    this.#idle();
    const canGoOn = await this.#exchange.takeError(error);
    if (!canGoOn) return this.breakOff(error.code);
    this.#end.trouble = null;
    if (asked === 'pull') this.caughtUp = false;
  }

  #waitBeforeAsking(ms: number): void {
    this.#end.busyMs = ms;
    this.#idle();
    this.#asked = 'nothing for now';
    this.#timer = setTimeout(() => {
      this.#end.busyMs = 0;
      this.#asked = null;
      this.goOn();
    }, ms);
  }

  #answered(kind: Kind): void {
    if (this.#asked !== kind) throw new ApiError('message.invalid', `an answer to ${kind} while ${this.#asked} was asked`);
    this.#idle();
  }

  #idle(): void {
    clearTimeout(this.#timer);
    this.#asked = null;
  }

  #fail(error: unknown): void {
    this.#isAsking = false;
    if (error instanceof Superseded) this.#end.superseded = true;
    this.breakOff(codeOf(error));
  }

  #onClose(): void {
    this.#open = false;
    this.caughtUp = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    // What came before the end is taken in to its end.
    void this.#taking.then(() => this.#resolveEnd(this.#end));
  }
}
