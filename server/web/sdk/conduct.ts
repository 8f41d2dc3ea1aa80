// Who of the programs on a storage syncs, and the connection of the one that does.

import { ApiError, codeOf } from './api';
import type { Pauses } from './backoff';
import type { Exchange } from './exchange';
import type { Http } from './http';
import { liveAddressOf } from './http';
import { Live } from './live';
import type { Store } from './store';
import { syncOverHttp } from './sync';
import type { Link, Platform } from './types';

export interface ConductOptions {
  platform: Platform;
  store: Store;
  exchange: Exchange;
  http: Http;
  pauses: Pauses;
  chance: () => number;
  onLink: () => void;
  /** Called when all of the device's own is handed in. */
  onSettled: () => Promise<void>;
}

export class Conduct {
  readonly #options: ConductOptions;
  #isWanted = false;
  #leads = false;
  #resign: (() => void) | null = null;
  #live: Live | null = null;
  #syncing: Promise<void> | null = null;
  link: Link = { connection: 'offline', trouble: null };

  constructor(options: ConductOptions) {
    this.#options = options;
    const { neighbours } = options.platform;
    neighbours?.onMessage((message) => {
      if (message.kind === 'link' && !this.#leads) this.#setLink(message.link);
      if (message.kind === 'who' && this.#leads) neighbours.announce({ kind: 'link', link: this.link });
    });
    neighbours?.announce({ kind: 'who' });
  }

  /** Where to say hello; null where that is pointless. */
  readonly #server = (): string | null => {
    const { exchange, store } = this.#options;
    return exchange.stopped === null ? (store.tables.meta('identity')?.server ?? null) : null;
  };

  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#elect(false);
  }

  stop(): void {
    this.#isWanted = false;
    this.#giveUp();
    this.#resign?.();
    this.#resign = null;
  }

  #elect(take: boolean): void {
    const { neighbours } = this.#options.platform;
    this.#resign?.();
    if (neighbours !== undefined) this.#resign = neighbours.elect(() => void this.#lead(), () => this.#lose(), take);
    else void this.#lead();
  }

  async #lead(): Promise<void> {
    await this.#options.exchange.lead();
    if (!this.#isWanted) return;
    this.#leads = true;
    this.goOn();
  }

  #lose(): void {
    this.#resign = null;
    this.#giveUp();
    // It may have it again when the other is gone.
    if (this.#isWanted) this.#elect(false);
  }

  #giveUp(): void {
    this.#leads = false;
    void this.#live?.end();
    this.#live = null;
  }

  /** Something is to be handed in, or the device has a name now. */
  goOn(): void {
    if (!this.#leads) return;
    if (this.#live !== null) return this.#live.goOn();
    if (this.#server() === null) return;
    const live = new Live({
      exchange: this.#options.exchange,
      transport: this.#options.platform.transport,
      address: () => {
        const server = this.#server();
        return server === null ? null : liveAddressOf(server);
      },
      onLink: (link) => this.#onOwnLink(link),
      syncOverHttp: () => this.#overHttp(),
      onSuperseded: () => this.#leads && this.#lose(),
      pauses: this.#options.pauses,
      chance: this.#options.chance,
    });
    this.#live = live;
    void live.finished.then(() => {
      if (this.#live === live) this.#live = null;
    });
  }

  #onOwnLink(link: Link): void {
    const wasLive = this.link.connection === 'live';
    if (!this.#setLink(link)) return;
    if (this.#leads) this.#options.platform.neighbours?.announce({ kind: 'link', link });
    if (link.connection === 'live' && !wasLive) void this.#options.onSettled();
  }

  #setLink(link: Link): boolean {
    if (link.connection === this.link.connection && link.trouble === this.link.trouble) return false;
    this.link = link;
    this.#options.onLink();
    return true;
  }

  /** The network has come back: no waiting any longer. */
  hurry(): void {
    this.#live?.hurry();
  }

  /** The user looks at this program now: it syncs, for browsers let those in the background sleep. */
  comeForward(): void {
    if (this.#isWanted && !this.#leads) this.#elect(true);
    this.hurry();
  }

  /** The network has gone. */
  breakOff(): void {
    this.#live?.breakOff();
  }

  syncNow(): Promise<void> {
    this.#syncing ??= this.#syncNow().finally(() => (this.#syncing = null));
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    if (this.#live !== null) await this.#live.settled();
    else if (!this.#isWanted || this.#leads) await this.#overHttp();
    else await this.#takeOver();
    await this.#options.onSettled();
  }

  // Another program syncs; the user is here.
  async #takeOver(): Promise<void> {
    this.#elect(true);
    await this.#overHttp();
  }

  async #overHttp(): Promise<void> {
    const { exchange, http, pauses, chance } = this.#options;
    await exchange.lead();
    if (this.#server() === null) throw new ApiError('auth.required');
    try {
      await syncOverHttp({ exchange, http, address: this.#server, pauses, chance });
      this.#onOwnLink({ ...this.link, trouble: exchange.digestTrouble });
    } catch (error) {
      this.#onOwnLink({ ...this.link, trouble: codeOf(error) });
      throw error;
    }
  }
}
