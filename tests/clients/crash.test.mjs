// The server dies in the middle of things. What it has said is true afterwards.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { digestOf } from './canonical.mjs';
import { RawSocket, createScopes, enrolledDevice, enrolledDevices } from './fixtures.mjs';
import { startServer } from './server.mjs';

const DAY = 's1~2026-01-01';

let server;
let made = 0;
before(async () => { server = await startServer(); });
after(() => server.remove());

async function freshScope() {
  const scope = `crash-${++made}`;
  await createScopes(server, scope);
  return scope;
}

const recordsOf = (scope) => server.all(`/v1/records?scope=${scope}`, 'records');

test('killed between syncs: devices go on as if nothing had happened', async () => {
  const scope = await freshScope();
  const [one, two] = await enrolledDevices(server, 2, [scope]);
  for (let round = 0; round < 5; round++) {
    one.edit(scope, 'note', `n${round}`, { set: { text: `round ${round}` } });
    await one.sync();
    await server.killAndRestart();
    await two.sync();
    assert.equal(two.view(scope, 'note', `n${round}`).fields.text, `round ${round}`);
  }
  assert.equal(one.counts.resets + two.counts.resets, 0);
  assert.equal(one.counts.digestsDiffered + two.counts.digestsDiffered, 0);
});

test('killed again and again while live devices write: every tap counts once', async () => {
  const scope = await freshScope();
  const phones = await enrolledDevices(server, 3, [scope], { opsPerPush: 3, firstBackoffMs: 10, mostBackoffMs: 100 });
  for (const phone of phones) phone.connect();
  for (let kills = 0; kills < 6; kills++) {
    for (const phone of phones) {
      for (let i = 0; i < 15; i++) {
        phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
        phone.edit(scope, 'note', `${phone.id}-${kills}-${i}`, { set: { text: 'x' } });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5 + 12 * kills));
    await server.killAndRestart();
  }
  const total = 6 * 15 * phones.length;
  const isDone = (phone) => phone.queue().length === 0 && phone.view(scope, 'station_day', DAY)?.fields.water === total;
  await Promise.all(phones.map((phone) => phone.until(() => isDone(phone), 'all taps are in', 60_000)));
  const expected = digestOf(await recordsOf(scope));
  for (const phone of phones) await phone.until(() => phone.digest(scope) === expected, 'the digest is that of the server');
  for (const phone of phones) {
    assert.deepEqual(phone.refusals(), []);
    assert.equal(phone.counts.digestsDiffered, 0);
    await phone.disconnect();
  }
});

test('a verdict that a device has got is kept over a kill in the next moment', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope]);
  phone.connect();
  await phone.settled();
  for (let i = 0; i < 8; i++) {
    const { n } = phone.edit(scope, 'note', `n${i}`, { set: { text: 'x' } });
    await phone.until(() => phone.progress.applied >= n, `${n} is applied`);
    await server.killAndRestart();
    assert.ok((await server.deviceRow(phone.id)).applied >= n);
  }
  assert.equal((await recordsOf(scope)).filter(({ coll }) => coll === 'note').length, 8);
  await phone.until(() => phone.isLive, 'live again');
  await phone.disconnect();
});

test('an enrolment and a revocation are kept over a kill', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope]);
  await server.killAndRestart();
  await phone.sync();
  await server.admin('POST', `/v1/devices/${phone.id}/revoke`);
  await server.killAndRestart();
  await assert.rejects(phone.sync());
  assert.equal(phone.stopped, 'auth.revoked');
});

test('the incarnation is the same after a kill and after a stop', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope]);
  const { incarnation } = phone.progress;
  await server.killAndRestart();
  await phone.sync();
  assert.equal(phone.progress.incarnation, incarnation);
  await server.stop();
  await server.start();
  await phone.sync();
  assert.equal(phone.progress.incarnation, incarnation);
});

test('seqs rise over a kill', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope]);
  let last = 0;
  for (let i = 0; i < 4; i++) {
    phone.edit(scope, 'note', 'n1', { set: { text: `${i}` } });
    await phone.sync();
    const { seq } = phone.record(scope, 'note', 'n1');
    assert.ok(seq > last);
    last = seq;
    await server.killAndRestart();
  }
});

test('a polite stop says goodbye to live devices, and they come back', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope], { firstBackoffMs: 10 });
  phone.connect();
  await phone.settled();
  const raw = await RawSocket.greeted(server, phone);
  await server.stop();
  assert.equal((await raw.closed()).code, 1001);
  await phone.until(() => !phone.isLive, 'the connection is gone');
  phone.edit(scope, 'note', 'n1', { set: { text: 'written while it was away' } });
  await server.start();
  await phone.settled();
  assert.equal((await recordsOf(scope)).find(({ id }) => id === 'n1').fields.text, 'written while it was away');
  await phone.disconnect();
});
