// Several devices do what comes to their minds for a while: edit, sync, go live, break off, lose
// answers, change scopes, while the server is killed now and then. In the end all hold the same.
// The seed of a failing run is in its message; SOAK_SEED repeats it, as far as timing allows, and
// SOAK_ROUNDS makes it longer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from './canonical.mjs';
import { Faults } from './client.mjs';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { serverFor } from './server.mjs';

const SEED = Number(process.env.SOAK_SEED ?? 20260101);
const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 150);
// What the random edits run into: a wrong type, a scope that was taken away, an id of a visit twice.
const EXPECTED_REFUSALS = ['field.type', 'scope.forbidden', 'facts.immutable'];
const SCOPES = ['soak-a', 'soak-b', 'soak-c'];

const IMPATIENT = { firstBackoffMs: 5, mostBackoffMs: 100, attempts: 20 };

// Mulberry32: small, and the same everywhere.
function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)], chance: (p) => next() < p };
}

function randomEdit(random, id) {
  const text = `${random.pick(['水', 'a', '😀', 'e\u0301'])}${random.below(5)}`;
  return random.pick([
    ['note', id, { set: { text } }],
    ['note', id, { set: { text: null, done: random.chance(0.5) } }],
    ['note', id, { add: { tags: [text] } }],
    ['note', id, { remove: { tags: [text] } }],
    ['note', id, { inc: { likes: random.below(7) - 3 } }],
    ['note', id, { del: true }],
    ['event', id, { append: { remarks: [text] } }],
    ['event', id, { set: { title: text, headcount: random.below(9) } }],
    ['station_day', `${id}~2026-01-0${1 + random.below(3)}`, { inc: { water: 1 } }],
    ['attendance', `e1~${id}`, { set: { event: 'e1', volunteer: id, role: text } }],
    ['visit', `${id}-${random.below(1000)}`, { set: { visitor: 'courier', at: '2026-01-01T09:00:00+08:00' } }],
    ['note', id, { set: { done: 'refused, for it is no boolean' } }],
  ]);
}

function editAtRandom(device, random) {
  for (let i = random.below(6); i >= 0; i--) device.edit(random.pick(device.scopes), ...randomEdit(random, `r${random.below(8)}`));
}

async function actOf(device, random) {
  const act = random.below(10);
  if (act < 5) editAtRandom(device, random);
  else if (act === 5) device.connect();
  else if (act === 6) await device.disconnect();
  else if (act === 7) device.breakConnection();
  else if (act === 8) device.faults.loseReplyOf(random.pick(['push', 'pull', 'hello']));
  else if (!device.isConnecting) await device.sync();
}

// Pulls until it brings nothing more, for others may have written meanwhile.
async function bringUpToDate(devices) {
  for (const device of devices) await device.disconnect();
  for (let i = 0; i < 2; i++) for (const device of devices) await device.sync();
}

test(`devices at random, seed ${SEED}`, async (t) => {
  const random = randomFrom(SEED);
  const server = await serverFor(t);
  await createScopes(server, ...SCOPES);
  const devices = [];
  for (const scopes of [SCOPES, SCOPES, ['soak-a'], ['soak-b', 'soak-c']]) {
    devices.push(await enrolledDevice(server, scopes, { ...IMPATIENT, faults: new Faults(), opsPerPush: 1 + random.below(9), pageLimit: 3 + random.below(20) }));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const device of devices) await actOf(device, random);
    if (random.chance(0.05)) await server.killAndRestart();
    if (random.chance(0.08)) await changeScopes(server, random.pick(devices), random);
    if (random.chance(0.3)) await pause(random.below(8));
    for (const device of devices) assert.equal(device.failure, null, `round ${round}`);
  }
  await bringUpToDate(devices);
  for (const device of devices) await assertLikeServer(server, device);
});

async function changeScopes(server, device, random) {
  const scopes = SCOPES.filter(() => random.chance(0.6));
  if (scopes.length > 0) await server.admin('PUT', `/v1/devices/${device.id}/scopes`, { scopes });
}

async function assertLikeServer(server, device) {
  assert.deepEqual(device.queue(), []);
  assert.equal(device.counts.digestsDiffered, 0);
  assert.deepEqual([...new Set(device.records().map(({ scope }) => scope))].sort(), [...device.scopes].sort());
  for (const scope of device.scopes) {
    const records = (await server.all(`/v1/records?scope=${scope}&limit=50`, 'records')).filter(({ deleted }) => !deleted);
    assert.equal(device.digest(scope), digestOf(records), scope);
    assert.deepEqual(device.records(scope).filter(({ deleted }) => !deleted), records.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
  }
  assert.deepEqual(device.refusals().filter(({ refused }) => !EXPECTED_REFUSALS.includes(refused.code)), []);
}

const keyOf = ({ scope, coll, id }) => `${scope} ${coll} ${id}`;
