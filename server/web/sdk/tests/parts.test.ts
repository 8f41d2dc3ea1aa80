// The parts that need no server.

import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pauseMs } from '../backoff';
import { inByteOrder } from '../canonical';
import { steadyClock } from '../clocks';
import { uuid7 } from '../ids';
import { overlaid } from '../overlay';
import { hmacSha256, sha256, toHex, utf8, utf8Length } from '../sha256';
import type { Edits, Fields } from '../types';

test('SHA-256 and HMAC agree with the system at every length around a block', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = randomBytes(length);
    assert.equal(toHex(sha256(bytes)), createHash('sha256').update(bytes).digest('hex'));
    assert.equal(toHex(hmacSha256(bytes, bytes)), createHmac('sha256', bytes).update(bytes).digest('hex'));
  }
});

test('UTF-8 of every kind of character', () => {
  for (const text of ['', 'a', 'é', '水', '😀', '\u0000\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}', '陈a伟😀é']) {
    assert.deepEqual(Buffer.from(utf8(text)), Buffer.from(text, 'utf8'));
    assert.equal(utf8Length(text), Buffer.byteLength(text));
  }
});

test('elements of a set stand in the byte order of their text', () => {
  const texts = ['b', 'a', 'é', '\uffee', '😀', '水', 'ab', ''];
  const sorted = inByteOrder(new Map(texts.map((text) => [text, text])));
  assert.deepEqual(sorted, [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
});

test('an id sorts by the time at which it was made', () => {
  const ids = [1767225600000, 1767225600001, 1893456000000].map((wall) => uuid7(wall, (count) => randomBytes(count)));
  assert.deepEqual([...ids].sort(), ids);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('pauses grow, are spread out, and have an end', () => {
  const pauses = { firstMs: 100, mostMs: 5000 };
  assert.equal(pauseMs(1, pauses, 0), 50);
  assert.equal(pauseMs(1, pauses, 1), 100);
  assert.equal(pauseMs(3, pauses, 1), 400);
  assert.equal(pauseMs(1000, pauses, 1), 5000);
});

test('a clock is of another boot once the machine has slept, but not when somebody set it back', () => {
  let wall = 1_000_000;
  let mono = 500;
  let boots = 0;
  const clock = steadyClock(() => wall, () => mono, () => `b${++boots}`);
  assert.deepEqual(clock(), { wall: 1_000_000, mono: 500, boot: 'b1' });
  wall += 60_000;
  mono += 60_000;
  assert.equal(clock().boot, 'b1');
  // An hour of sleep, of which the monotonic clock knows nothing.
  wall += 3_600_000;
  assert.equal(clock().boot, 'b2');
  assert.equal(clock().boot, 'b2');
  wall -= 86_400_000;
  mono += 10;
  assert.equal(clock().boot, 'b2');
});

function shown(fields: Fields | undefined, ...edits: Edits[]): Fields | undefined {
  return overlaid(fields, edits.map((one) => ({ edits: one, wall: 5, verdict: null })), 'ME');
}

test('own edits lie over the record as the server will make them', () => {
  assert.deepEqual(shown(undefined, { set: { text: 'a' } }), { text: 'a' });
  assert.deepEqual(shown({ text: 'a', done: true }, { set: { text: null } }), { done: true });
  assert.deepEqual(shown({ water: 2 }, { inc: { water: -3, rest: 1 } }), { water: -1, rest: 1 });
  assert.deepEqual(shown({ tags: ['b', 'c'] }, { add: { tags: ['a'] }, remove: { tags: ['c', 'x'] } }), { tags: ['a', 'b'] });
  assert.deepEqual(shown({ tags: ['b'] }, { add: { tags: ['b'] }, remove: { tags: ['b'] } }), { tags: ['b'] });
  assert.deepEqual(shown({ tags: ['b'] }, { remove: { tags: ['b'] } }), {});
  assert.deepEqual(shown({}, { append: { remarks: ['x'] } }), { remarks: [{ at: 5, by: 'ME', v: 'x' }] });
  assert.equal(shown({ text: 'a' }, { del: true }), undefined);
  assert.deepEqual(shown({ text: 'a', done: true }, { del: true }, { set: { text: 'b' } }), { text: 'b' });
  assert.deepEqual(Object.keys(shown({}, { set: { ['__proto__']: 1 } }) ?? {}), ['__proto__']);
});

test('spends and returns come out of the own lease', () => {
  const places = { granted: 40, free: 20, spent: 0, leases: { ME: { left: 20, expires: 9 } } };
  assert.deepEqual(shown({ places }, { spend: { places: 3 } }, { return: { places: 7 } }),
                   { places: { granted: 40, free: 27, spent: 3, leases: { ME: { left: 10, expires: 9 } } } });
  const leased = overlaid({ places }, [{ edits: { lease: { places: 10 } }, wall: 1, verdict: { n: 1, ok: true, seq: 2, leased: { places: 5 } } }], 'ME');
  assert.deepEqual(leased?.places, { granted: 40, free: 15, spent: 0, leases: { ME: { left: 25, expires: 9 } } });
});
