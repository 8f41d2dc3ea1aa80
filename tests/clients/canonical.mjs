// Canonical JSON (RFC 8785) and the digest of a scope, as in docs/protocol.md#digest.

import { createHash } from 'node:crypto';

const LANES = 8;

// The one text that a JSON value has under RFC 8785. ECMAScript's own number and string output is
// what the RFC prescribes, and its default sort orders keys by UTF-16 code units as the RFC does.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') return canonicalObject(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`not a JSON value: ${String(value)}`);
  return text;
}

function canonicalObject(object) {
  const members = Object.keys(object).sort().map((key) => `${canonicalString(key)}:${canonical(object[key])}`);
  return `{${members.join(',')}}`;
}

// JSON.stringify would write a lone surrogate as an escape; the RFC wants an error, for such a text
// has no UTF-8 form.
function canonicalString(string) {
  if (!string.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(string);
}

// SHA-256 of one record as eight 32-bit numbers.
export function recordLanes({ scope, coll, id, fields }) {
  const hash = createHash('sha256').update(canonical({ coll, fields, id, scope }), 'utf8').digest();
  return Uint32Array.from({ length: LANES }, (_, lane) => hash.readUInt32BE(4 * lane));
}

// The digest of one scope, kept up to date record by record.
export class ScopeDigest {
  #sum;

  constructor(hex = '0'.repeat(8 * LANES)) {
    this.#sum = Uint32Array.from({ length: LANES }, (_, lane) => parseInt(hex.slice(8 * lane, 8 * lane + 8), 16));
  }

  add(record) {
    recordLanes(record).forEach((number, lane) => { this.#sum[lane] += number; });
    return this;
  }

  subtract(record) {
    recordLanes(record).forEach((number, lane) => { this.#sum[lane] -= number; });
    return this;
  }

  toString() {
    return Array.from(this.#sum, (number) => number.toString(16).padStart(8, '0')).join('');
  }
}

export function digestOf(records) {
  const digest = new ScopeDigest();
  for (const record of records) if (!record.deleted) digest.add(record);
  return digest.toString();
}
