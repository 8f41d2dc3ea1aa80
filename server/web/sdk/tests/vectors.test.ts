// The worked examples of schemas/vectors/ that a client has to agree with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canonical } from '../canonical';
import { ScopeDigest, recordHash } from '../digest';
import { macOf } from '../handover';
import { hmacSha256, sha256, toBytes, toHex, utf8 } from '../sha256';
import type { Fields, Json, Op, RecordKey } from '../types';

function casesOf<T>(name: string): T[] {
  const cases = (JSON.parse(readFileSync(new URL(`../../../../schemas/vectors/${name}.json`, import.meta.url), 'utf8')) as { cases: T[] }).cases;
  assert.ok(cases.length > 0);
  return cases;
}

test('canonical text', () => {
  const taken = casesOf<{ name: string; json: string; canonical?: string }>('canonical').filter((one) => one.canonical !== undefined);
  assert.ok(taken.length > 20);
  for (const { name, json, canonical: text } of taken) assert.equal(canonical(JSON.parse(json) as Json), text, name);
});

test('half of a surrogate pair has no canonical text, a whole pair has', () => {
  for (const text of ['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ud83d\ud83d\ude00', '\ud83d\ude00\ude00']) {
    assert.throws(() => canonical({ text }), TypeError);
    assert.throws(() => canonical({ [text]: 1 }), TypeError);
  }
  assert.equal(canonical('\ud83d\ude00'), '"😀"');
  // Written out it is a text about one, not one.
  assert.equal(canonical('\\ud800'), '"\\\\ud800"');
});

test('digests, whatever the order and with a record that came and went', () => {
  for (const { name, records, digest } of casesOf<{ name: string; records: (RecordKey & { fields: Fields; deleted?: boolean })[]; digest: string }>('digest')) {
    const hashes = records.filter(({ deleted }) => !deleted).map(recordHash);
    const sum = new ScopeDigest();
    for (const hash of hashes) sum.add(hash);
    assert.equal(sum.toString(), digest, name);
    const other = new ScopeDigest();
    for (const hash of [...hashes, ...hashes].reverse()) other.add(hash);
    for (const hash of hashes) other.subtract(hash);
    assert.equal(other.toString(), digest, name);
    assert.equal(new ScopeDigest(digest).toString(), digest, name);
  }
});

test('hand-over', () => {
  for (const { name, token, device, ops, key, mac } of casesOf<{ name: string; token: string; device: string; ops: string; key: string; mac: string }>('handover')) {
    assert.equal(toHex(hmacSha256(toBytes(sha256(utf8(token))), utf8('waystation handover 1'))), key, name);
    assert.equal(macOf(token, device, JSON.parse(ops) as Op[]), mac, name);
  }
});
