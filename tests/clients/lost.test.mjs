// Answers that get lost, things that are said twice, connections that break: nothing is applied twice,
// nothing is lost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { digestOf } from './canonical.mjs';
import { Faults } from './client.mjs';
import { RawSocket, createScopes, enrolledDevice, enrolledDevices, opNow, syncFrame } from './fixtures.mjs';
import { startServer } from './server.mjs';

const DAY = 's1~2026-01-01';

let server;
let made = 0;
before(async () => { server = await startServer(); });
after(() => server.remove());

async function phoneInNewScope(options) {
  const scope = `lost-${++made}`;
  await createScopes(server, scope);
  return [scope, await enrolledDevice(server, [scope], options)];
}

const recordsOf = (scope) => server.all(`/v1/records?scope=${scope}`, 'records');
const waterAt = async (scope) => (await recordsOf(scope)).find(({ id }) => id === DAY)?.fields.water;
const tap = (n, scope) => opNow(n, scope, 'station_day', DAY, { inc: { water: 1 } });

test('HTTP: the answer to a push is lost; it is sent again and counted once', async () => {
  const faults = new Faults();
  const [scope, phone] = await phoneInNewScope({ faults, firstBackoffMs: 1 });
  phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
  phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
  for (let i = 0; i < 3; i++) faults.loseReplyOf('push');
  await phone.sync();
  assert.equal(await waterAt(scope), 2);
  assert.equal(phone.view(scope, 'station_day', DAY).fields.water, 2);
  assert.deepEqual(phone.queue(), []);
});

for (const kind of ['hello', 'push', 'pull']) {
  test(`WebSocket: the answer to a ${kind} is lost with its connection; all is counted once`, async () => {
    const faults = new Faults();
    const [scope, phone] = await phoneInNewScope({ faults, firstBackoffMs: 1 });
    for (let i = 0; i < 5; i++) phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
    faults.loseReplyOf(kind);
    phone.connect();
    await phone.settled();
    assert.equal(phone.counts.connections, 2);
    assert.equal(await waterAt(scope), 5);
    await phone.until(() => phone.queue().length === 0, 'the queue is empty');
    assert.equal(phone.view(scope, 'station_day', DAY).fields.water, 5);
    await phone.disconnect();
  });
}

test('the same ops again get the same results, word for word: HTTP, WebSocket, after a restart', async () => {
  const [scope, phone] = await phoneInNewScope();
  const ops = [tap(1, scope), opNow(2, 'no-such-scope', 'note', 'n1', { set: { text: 'x' } }),
               opNow(3, scope, 'note', 'n1', { set: { done: 'not a boolean' } }), tap(4, scope),
               opNow(5, scope, 'note', 'n1', { set: { text: '水' } })];
  const first = (await syncFrame(server, phone, { push: { ops } })).body.receipt;
  assert.equal(first.applied, 5);
  assert.deepEqual(first.results.map(({ n, ok }) => [n, ok ?? false]), [[1, true], [2, false], [3, false], [4, true], [5, true]]);

  const again = (await syncFrame(server, phone, { push: { ops } })).body.receipt;
  assert.equal(JSON.stringify(again.results), JSON.stringify(first.results));
  const raw = await RawSocket.greeted(server, phone);
  assert.equal(JSON.stringify((await raw.ask({ push: { ops } })).receipt.results), JSON.stringify(first.results));
  // Some of them again, out of the middle.
  assert.equal(JSON.stringify((await raw.ask({ push: { ops: ops.slice(1, 3) } })).receipt.results), JSON.stringify(first.results.slice(1, 3)));
  await raw.close();

  for (const restart of [() => server.stop().then(() => server.start()), () => server.killAndRestart()]) {
    await restart();
    const later = (await syncFrame(server, phone, { push: { ops } })).body.receipt;
    assert.equal(JSON.stringify(later.results), JSON.stringify(first.results));
    assert.equal(later.applied, 5);
  }
  assert.equal(await waterAt(scope), 2);
  assert.equal((await server.deviceRow(phone.id)).refused, 2);
});

test('the order of keys in a repeated op is not its content', async () => {
  const [scope, phone] = await phoneInNewScope();
  const op = opNow(1, scope, 'note', 'n1', { set: { text: 'x', author: 'y' } });
  const turned = Object.fromEntries(Object.entries({ ...op, set: { author: 'y', text: 'x' } }).reverse());
  const first = (await syncFrame(server, phone, { push: { ops: [op] } })).body.receipt;
  const again = (await syncFrame(server, phone, { push: { ops: [turned] } })).body.receipt;
  assert.deepEqual(again.results, first.results);
});

test('a number that is used again with other content: the first verdict stands, the new content is kept', async () => {
  const [scope, phone] = await phoneInNewScope();
  await syncFrame(server, phone, { push: { ops: [opNow(1, scope, 'note', 'n1', { set: { text: 'first' } })] } });
  const other = opNow(1, scope, 'note', 'n1', { set: { text: 'other' } });
  const { receipt } = (await syncFrame(server, phone, { push: { ops: [other] } })).body;
  assert.equal(receipt.applied, 1);
  assert.equal(receipt.results[0].refused.code, 'op.reused');
  assert.equal((await recordsOf(scope)).find(({ id }) => id === 'n1').fields.text, 'first');
  const kept = await server.all(`/v1/quarantine?device=${phone.id}`, 'quarantine');
  assert.deepEqual(kept.map(({ n, code, op }) => [n, code, op.set.text]), [[1, 'op.reused', 'other']]);
});

test('parallel repeats: the same push ten times at once is applied once', async () => {
  const [scope, phone] = await phoneInNewScope();
  const ops = Array.from({ length: 20 }, (_, i) => tap(i + 1, scope));
  const replies = await Promise.all(Array.from({ length: 10 }, () => syncFrame(server, phone, { push: { ops } })));
  const results = new Set(replies.map(({ body }) => JSON.stringify(body.receipt.results)));
  assert.equal(results.size, 1);
  assert.equal(await waterAt(scope), 20);
});

test('parallel repeats over several connections of one device, in pieces that overlap', async () => {
  const [scope, phone] = await phoneInNewScope();
  const ops = Array.from({ length: 30 }, (_, i) => tap(i + 1, scope));
  const sockets = await Promise.all(Array.from({ length: 4 }, () => RawSocket.greeted(server, phone)));
  const verdicts = new Map();
  await Promise.all(sockets.map(async (socket) => {
    for (let from = 0; from < 30; from += 5) {
      const { receipt } = await socket.ask({ push: { ops: ops.slice(0, from + 5) } });
      for (const result of receipt.results) verdicts.set(result.n, (verdicts.get(result.n) ?? new Set()).add(JSON.stringify(result)));
    }
  }));
  assert.equal(verdicts.size, 30);
  assert.ok([...verdicts.values()].every((texts) => texts.size === 1));
  assert.equal(await waterAt(scope), 30);
  for (const socket of sockets) await socket.close();
});

test('a gap is answered with the number that must come next', async () => {
  const [scope, phone] = await phoneInNewScope();
  const raw = await RawSocket.greeted(server, phone);
  const { receipt } = await raw.ask({ push: { ops: [tap(1, scope), tap(2, scope), tap(4, scope), tap(5, scope)] } });
  assert.equal(receipt.applied, 2);
  assert.equal(receipt.expected, 3);
  assert.deepEqual(receipt.results.map(({ n }) => n), [1, 2]);
  assert.equal(receipt.count, 2);

  const none = (await raw.ask({ push: { ops: [tap(7, scope)] } })).receipt;
  assert.deepEqual([none.applied, none.expected, none.results], [2, 3, []]);
  const rest = (await raw.ask({ push: { ops: [3, 4, 5].map((n) => tap(n, scope)) } })).receipt;
  assert.equal(rest.applied, 5);
  assert.equal(rest.expected, undefined);
  assert.equal(await waterAt(scope), 5);
  await raw.close();
});

test('reconnecting again and again in the middle of a long queue', async () => {
  const [scope, phone] = await phoneInNewScope({ opsPerPush: 7, pageLimit: 11, firstBackoffMs: 5, mostBackoffMs: 20 });
  for (let i = 0; i < 150; i++) {
    phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
    phone.edit(scope, 'note', `n${i}`, { set: { text: `note ${i}` } });
  }
  phone.connect();
  for (let cut = 1; cut <= 12; cut++) {
    await phone.until(() => phone.progress.applied >= 20 * cut, `${20 * cut} applied`);
    phone.breakConnection();
  }
  await phone.settled();
  await phone.until(() => phone.queue().length === 0, 'the queue is empty');
  assert.ok(phone.counts.connections > 10);
  assert.equal(await waterAt(scope), 150);
  assert.equal(phone.digest(scope), digestOf(await recordsOf(scope)));
  assert.equal(phone.counts.digestsDiffered, 0);
  await phone.disconnect();
});

test('several devices with lost answers all the time come to the same', async () => {
  const scope = `lost-${++made}`;
  await createScopes(server, scope);
  const faults = new Faults();
  const phones = await enrolledDevices(server, 3, [scope], { faults, firstBackoffMs: 1, opsPerPush: 4, pageLimit: 9 });
  for (let round = 0; round < 4; round++) {
    for (const kind of ['push', 'pull', 'push']) faults.loseReplyOf(kind);
    for (const phone of phones) {
      for (let i = 0; i < 6; i++) {
        phone.edit(scope, 'station_day', DAY, { inc: { water: 1 } });
        phone.edit(scope, 'note', `n${i}`, { set: { text: `${phone.id} ${round}` }, add: { tags: [`t${round}`] } });
      }
    }
    await Promise.all(phones.map((phone) => phone.sync()));
  }
  for (const phone of phones) await phone.sync();
  const expected = digestOf(await recordsOf(scope));
  for (const phone of phones) {
    assert.equal(phone.digest(scope), expected);
    assert.equal(phone.counts.digestsDiffered, 0);
    assert.equal(phone.view(scope, 'station_day', DAY).fields.water, 72);
  }
});

test('a phone that gets back an older copy of itself loses nothing that it writes from then on', async () => {
  const [scope, phone] = await phoneInNewScope();
  phone.edit(scope, 'note', 'n1', { set: { text: 'one' } });
  await phone.sync();
  const copy = phone.storage.clone();
  phone.edit(scope, 'note', 'n2', { set: { text: 'two' } });
  await phone.sync();
  phone.storage.restore(copy);
  phone.edit(scope, 'note', 'n3', { set: { text: 'three' } });
  await phone.sync();
  const texts = (await recordsOf(scope)).filter(({ coll }) => coll === 'note').map(({ fields }) => fields.text);
  assert.deepEqual(texts.sort(), ['one', 'three', 'two']);
  assert.deepEqual(phone.refusals(), []);
  assert.equal(phone.digest(scope), digestOf(await recordsOf(scope)));
});
