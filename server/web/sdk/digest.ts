// The digest of a scope (docs/protocol.md, "Digest"): the sum of its live records' hashes, kept up to date
// record by record.

import { canonical } from './canonical';
import { sha256, toHex, utf8 } from './sha256';
import type { Fields, RecordKey } from './types';

const LANES = 8;

/** SHA-256 of one record as it stands in a digest, in hex. */
export function recordHash({ scope, coll, id, fields }: RecordKey & { fields: Fields }): string {
  return toHex(sha256(utf8(canonical({ coll, fields, id, scope }))));
}

/** A sum modulo 2^32 in each of eight lanes. Hashes are in hex; an empty one adds nothing. */
export class ScopeDigest {
  readonly #sum = new Uint32Array(LANES);

  constructor(sum = '') {
    this.add(sum);
  }

  add(hash: string): this {
    if (hash !== '') for (let i = 0; i < LANES; i++) this.#sum[i] = this.#sum[i]! + lane(hash, i);
    return this;
  }

  subtract(hash: string): this {
    if (hash !== '') for (let i = 0; i < LANES; i++) this.#sum[i] = this.#sum[i]! - lane(hash, i);
    return this;
  }

  toString(): string {
    return toHex(this.#sum);
  }
}

function lane(hash: string, i: number): number {
  return parseInt(hash.slice(8 * i, 8 * i + 8), 16);
}
