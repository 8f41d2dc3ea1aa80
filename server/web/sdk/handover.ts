// A queue as a file that another device hands in (docs/protocol.md, "Hand-over"), and the other devices' files
// that this one carries.

import { ApiError } from './api';
import { canonical } from './canonical';
import { firstThatFit } from './exchange';
import { Busy, NoAnswer } from './http';
import type { Http } from './http';
import { hmacSha256, sha256, toBytes, toHex, utf8 } from './sha256';
import { opKey } from './state';
import type { Carried } from './state';
import type { Store } from './store';
import type { Json, Op, Verdict } from './types';

const FORMAT = 'waystation-handover';
const VERSION = 1;
const KEY_TEXT = 'waystation handover 1';
const OPS_IN_A_PART = 1000;
const BYTES_IN_A_PART = 1000 * 1024;
// A file of a thousand parts is no file of a phone's.
const MOST_PARTS = 1000;

export interface Part {
  device: string;
  ops: Op[];
  mac: string;
}

export function macOf(token: string, device: string, ops: Op[]): string {
  const key = toBytes(hmacSha256(toBytes(sha256(utf8(token))), utf8(KEY_TEXT)));
  return toHex(hmacSha256(key, utf8(canonical({ device, ops: ops as unknown as Json }))));
}

export function fileOf(identity: { device: string; token: string }, ops: Op[], made: number): Json {
  const parts: Part[] = [];
  for (let rest = ops; rest.length > 0; ) {
    const part = firstThatFit(rest, OPS_IN_A_PART, BYTES_IN_A_PART);
    parts.push({ device: identity.device, ops: part, mac: macOf(identity.token, identity.device, part) });
    rest = rest.slice(part.length);
  }
  return { format: FORMAT, version: VERSION, device: identity.device, made, count: ops.length, parts: parts as unknown as Json };
}

/** Rejects what is no such file with `handover.format`. */
export function partsOf(file: Json): Part[] {
  const { format, version, parts } = (file ?? {}) as { format?: Json; version?: Json; parts?: Json };
  const isFile = format === FORMAT && version === VERSION && Array.isArray(parts) && parts.length <= MOST_PARTS;
  if (!isFile || !parts.every(isPart)) throw new ApiError('handover.format');
  return parts as unknown as Part[];
}

function isPart(part: Json): boolean {
  const { device, ops, mac } = (part ?? {}) as { device?: Json; ops?: Json; mac?: Json };
  const areOps = Array.isArray(ops) && ops.length > 0 && ops.length <= OPS_IN_A_PART && ops.every((op) => typeof (op as { n?: Json } | null)?.n === 'number');
  return typeof device === 'string' && /^[0-9A-Z]{10}$/.test(device) && typeof mac === 'string' && areOps;
}

/** Hands in what this device carries for others, when it has handed in its own. */
export class Carrier {
  readonly #store: Store;
  readonly #http: Http;
  #running: Promise<void> | null = null;

  constructor(store: Store, http: Http) {
    this.#store = store;
    this.#http = http;
  }

  get carried(): [string, Carried][] {
    return [...this.#store.tables.entries('carried')].map(([key, one]): [string, Carried] => [key, one as Carried]).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  get isWaiting(): boolean {
    return this.carried.some(([, { results }]) => results === undefined);
  }

  async take(parts: Part[]): Promise<number> {
    await this.#store.change((draft) => {
      for (const { device, ops, mac } of parts) draft.put('carried', `${device} ${opKey(ops[0]!.n)}`, { device, ops, mac } satisfies Carried);
    });
    return parts.reduce((count, { ops }) => count + ops.length, 0);
  }

  forget(device: string): Promise<void> {
    return this.#store.change((draft) => draft.removeAll('carried', `${device} `));
  }

  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  // Parts of one device in order; one that is not taken holds up those of the same device behind it.
  async #run(): Promise<void> {
    const heldUp = new Set<string>();
    for (const [key, one] of this.carried) {
      if (one.results !== undefined || heldUp.has(one.device)) continue;
      const trouble = await this.#handIn(key, one);
      if (trouble !== null) heldUp.add(one.device);
      if (trouble === 'offline' || trouble === 'busy') return;
    }
  }

  async #handIn(key: string, { device, ops, mac }: Carried): Promise<string | null> {
    const identity = this.#store.tables.meta('identity');
    if (identity === undefined) return 'offline';
    try {
      const { receipt } = await this.#http.post<{ receipt: { results: Verdict[] } }>(
        identity.server, '/v1/handover', { device, ops, mac }, { token: `${identity.device}.${identity.token}` });
      await this.#note(key, { device, ops: [], mac: '', results: receipt.results });
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!(error instanceof NoAnswer || error instanceof Busy)) await this.#note(key, { device, ops, mac, trouble: error.code });
      return error.code;
    }
  }

  #note(key: string, carried: Carried): Promise<void> {
    return this.#store.change((draft) => {
      if (draft.get('carried', key) !== undefined) draft.put('carried', key, carried);
    });
  }
}
