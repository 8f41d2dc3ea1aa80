// The live side of a device: one connection after another, for as long as it is wanted.

import { ApiError, codeOf } from './api';
import { busyMs, pauseMs, Sleep } from './backoff';
import type { Pauses } from './backoff';
import type { Exchange } from './exchange';
import { Session } from './session';
import type { Link, Transport } from './types';

// After so many connections in a row that did not even open, another way is tried: something on the way may
// not let WebSockets through.
const FAILURES_BEFORE_HTTP = 2;

export interface LiveOptions {
  exchange: Exchange;
  transport: Transport;
  /** Where to connect; null where there is no identity any more, or a final error has come. */
  address: () => string | null;
  onLink: (link: Link) => void;
  /** One exchange over HTTP. */
  syncOverHttp: () => Promise<void>;
  onSuperseded: () => void;
  pauses: Pauses;
  chance: () => number;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #sleep = new Sleep();
  #session: Session | null = null;
  #ended = false;
  #trouble: string | null = null;
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly finished: Promise<void>;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.finished = this.#comeBackUntilEnded();
  }

  async #comeBackUntilEnded(): Promise<void> {
    for (let failures = 0; ;) {
      const address = this.#ended ? null : this.#options.address();
      if (address === null) break;
      const end = await this.#connectOnce(address);
      if (end.superseded) this.#options.onSuperseded();
      if (this.#ended || this.#options.address() === null) break;
      failures = end.wentWell ? 1 : failures + 1;
      if (!end.opened && failures >= FAILURES_BEFORE_HTTP) await this.#tryHttp();
      if (this.#ended) break;
      const { pauses, chance } = this.#options;
      await this.#sleep.for(Math.max(pauseMs(failures, pauses, chance()), busyMs(end.busyMs, chance())));
    }
    this.#ended = true;
    this.#rejectWaiters();
    this.#options.onLink({ connection: 'offline', trouble: this.#trouble });
  }

  async #connectOnce(address: string) {
    const { exchange, transport, onLink } = this.#options;
    onLink({ connection: 'connecting', trouble: this.#trouble });
    this.#session = new Session(exchange, transport, address, () => this.#onProgress());
    const end = await this.#session.ended;
    this.#session = null;
    this.#trouble = end.trouble ?? (end.wentWell ? null : 'offline');
    onLink({ connection: 'offline', trouble: this.#trouble });
    this.#rejectWaiters();
    return end;
  }

  async #tryHttp(): Promise<void> {
    try {
      await this.#options.syncOverHttp();
      this.#trouble = null;
    } catch (error) {
      this.#trouble = codeOf(error);
    }
    this.#options.onLink({ connection: 'offline', trouble: this.#trouble });
  }

  #onProgress(): void {
    const session = this.#session;
    if (session === null || this.#ended) return;
    this.#trouble = this.#options.exchange.digestTrouble;
    const isLive = session.caughtUp && !this.#options.exchange.isWaiting;
    if (session.isWelcomed) this.#options.onLink({ connection: isLive ? 'live' : 'syncing', trouble: this.#trouble });
    if (isLive) for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #rejectWaiters(): void {
    for (const { reject } of this.#waiters.splice(0)) reject(new ApiError(this.#trouble ?? 'offline'));
  }

  /** There is something to hand in. */
  goOn(): void {
    this.#session?.goOn();
    if (this.#session?.caughtUp) this.#onProgress();
  }

  /** Does not wait any longer before it tries again, and does not trust a line that may be dead. */
  hurry(): void {
    this.#sleep.cutShort();
    this.#session?.probe();
  }

  breakOff(): void {
    this.#session?.breakOff();
  }

  /** Fulfilled once all is handed in and taken in, rejected with why the connection ended before. */
  settled(): Promise<void> {
    if (this.#ended) return Promise.reject(new ApiError(this.#trouble ?? 'offline'));
    const settled = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#sleep.cutShort();
    if (this.#session?.caughtUp) this.goOn();
    return settled;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#session?.breakOff();
    this.#sleep.cutShort();
    await this.finished;
  }
}
