// Canonical JSON (RFC 8785).

import type { Json } from './types';

/** The one text that a JSON value has. ECMAScript's own number and string output is what the RFC prescribes,
 *  and its default sort orders keys by UTF-16 code units as the RFC does. */
export function canonical(value: Json): string {
  if (typeof value === 'string') return canonicalString(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') return canonicalObject(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`not a JSON value: ${String(value)}`);
  return text;
}

function canonicalObject(object: { [key: string]: Json }): string {
  const members: string[] = [];
  for (const key of Object.keys(object).sort()) members.push(`${canonicalString(key)}:${canonical(object[key]!)}`);
  return `{${members.join(',')}}`;
}

// Half of a surrogate pair, which has no UTF-8 form.
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

// JSON.stringify would write a lone surrogate as an escape; the RFC wants an error.
function canonicalString(string: string): string {
  const text = JSON.stringify(string);
  if (text.includes('\\ud') && LONE_SURROGATE.test(string)) throw new TypeError('a lone surrogate has no canonical form');
  return text;
}

/** Elements by their canonical text, in the byte order of its UTF-8: the order in which a set is shown. */
export function inByteOrder<T>(byText: Map<string, T>): T[] {
  return [...byText].sort(([a], [b]) => compareByCodePoint(a, b)).map(([, value]) => value);
}

// The byte order of UTF-8 is that of the code points; UTF-16 units differ from it where surrogates meet
// characters above them.
function compareByCodePoint(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return weight(x) - weight(y);
  }
  return a.length - b.length;
}

function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
