// Live connections: changes come as they happen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawSocket, createScopes, enrolledDevice, enrolledDevices, opNow } from './fixtures.mjs';
import { startServer } from './server.mjs';

let server;
let made = 0;
before(async () => { server = await startServer(); });
after(() => server.remove());

async function livePhones(count, options) {
  const scope = `live-${++made}`;
  await createScopes(server, scope);
  const phones = await enrolledDevices(server, count, [scope], options);
  for (const phone of phones) phone.connect();
  await Promise.all(phones.map((phone) => phone.settled()));
  return [scope, ...phones];
}

const disconnectAll = (...phones) => Promise.all(phones.map((phone) => phone.disconnect()));

test('a change arrives at the other device by itself, and the own echo at its author', async () => {
  const [scope, one, two] = await livePhones(2);
  one.edit(scope, 'note', 'n1', { set: { text: '水不够' } });
  await two.until(() => two.view(scope, 'note', 'n1')?.fields.text === '水不够');
  await one.until(() => one.record(scope, 'note', 'n1')?.fields.text === '水不够', 'the own echo');
  await one.until(() => one.queue().length === 0, 'the op is done with');
  assert.deepEqual(one.record(scope, 'note', 'n1'), two.record(scope, 'note', 'n1'));

  two.edit(scope, 'note', 'n1', { set: { done: true } });
  await one.until(() => one.view(scope, 'note', 'n1')?.fields.done === true);
  two.edit(scope, 'note', 'n1', { del: true });
  await one.until(() => one.record(scope, 'note', 'n1')?.deleted === true);
  assert.equal(one.counts.connections, 1);
  await disconnectAll(one, two);
});

test('what is handed in over HTTP arrives live as well', async () => {
  const [scope, one] = await livePhones(1);
  const other = await enrolledDevice(server, [scope]);
  other.edit(scope, 'note', 'n1', { set: { text: 'over HTTP' } });
  await other.sync();
  await one.until(() => one.view(scope, 'note', 'n1')?.fields.text === 'over HTTP');
  await one.disconnect();
});

test('changes of other scopes do not arrive', async () => {
  const [scope, one] = await livePhones(1);
  const [otherScope, two] = await livePhones(1);
  two.edit(otherScope, 'note', 'n1', { set: { text: 'not for one' } });
  await two.until(() => two.record(otherScope, 'note', 'n1') !== undefined);
  const third = await enrolledDevice(server, [scope]);
  third.edit(scope, 'note', 'n2', { set: { text: 'for one' } });
  await third.sync();
  await one.until(() => one.record(scope, 'note', 'n2') !== undefined);
  assert.deepEqual(one.records().filter((record) => record.scope !== scope), []);
  await disconnectAll(one, two);
});

test('a device that writes where it may not is refused, and the other devices see nothing', async () => {
  const [scope, one] = await livePhones(1);
  await createScopes(server, 'elsewhere');
  const stranger = await enrolledDevice(server, ['elsewhere']);
  stranger.edit(scope, 'note', 'n1', { set: { text: 'not allowed' } });
  await stranger.sync();
  assert.equal(stranger.refusals().length, 1);
  assert.deepEqual(one.records(scope).filter(({ id }) => id === 'n1'), []);
  await one.disconnect();
});

test('many edits on three live devices at the same time: all come to the same', async () => {
  const [scope, ...phones] = await livePhones(3, { opsPerPush: 5 });
  for (let i = 0; i < 60; i++) {
    for (const phone of phones) {
      phone.edit(scope, 'note', `n${i % 10}`, { set: { text: `${phone.id} ${i}` }, add: { tags: [`t${i % 4}`] } });
      phone.edit(scope, 'station_day', 's~2026-01-01', { inc: { water: 1 } });
    }
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const isDone = (phone) => phone.queue().length === 0 && phone.view(scope, 'station_day', 's~2026-01-01')?.fields.water === 180;
  await Promise.all(phones.map((phone) => phone.until(() => isDone(phone), 'all taps are in')));
  const [one, two, three] = phones;
  await one.until(() => one.digest(scope) === two.digest(scope) && two.digest(scope) === three.digest(scope), 'digests are equal');
  assert.deepEqual(one.records(), two.records());
  for (const phone of phones) assert.equal(phone.counts.digestsDiffered, 0);
  await disconnectAll(...phones);
});

test('the state never goes back: a live device sees a counter only rise', async () => {
  const [scope, writer, reader] = await livePhones(2);
  const seen = [];
  const look = () => { const water = reader.view(scope, 'station_day', 's~2026-01-01')?.fields.water ?? 0; seen.push(water); return water === 40; };
  for (let i = 0; i < 40; i++) {
    writer.edit(scope, 'station_day', 's~2026-01-01', { inc: { water: 1 } });
    assert.equal(writer.view(scope, 'station_day', 's~2026-01-01').fields.water, i + 1);
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await reader.until(look, 'all taps');
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  await disconnectAll(writer, reader);
});

test('live changes come only after a pull that ended with more: false', async () => {
  const [scope, writer] = await livePhones(1);
  const reader = await enrolledDevice(server, [scope]);
  const raw = await RawSocket.greeted(server, reader);
  writer.edit(scope, 'note', 'n1', { set: { text: 'before the pull' } });
  await writer.until(() => writer.queue().length === 0);
  await assert.rejects(raw.next(300), /nothing came/);
  const { changes, digests } = await raw.pullAll();
  assert.ok(changes.some(({ id }) => id === 'n1'));
  assert.deepEqual(digests.map((one) => one.scope), [scope]);

  writer.edit(scope, 'note', 'n2', { set: { text: 'after the pull' } });
  const live = (await raw.next()).changes;
  assert.deepEqual(live.changes.map(({ id }) => id), ['n2']);
  assert.equal(live.more, false);
  assert.deepEqual(live.left, []);
  await raw.close();
  await writer.disconnect();
});

test('the cursor of a live message is good for going on after a break', async () => {
  const [scope, writer] = await livePhones(1);
  const reader = await enrolledDevice(server, [scope]);
  const raw = await RawSocket.greeted(server, reader);
  await raw.pullAll();
  writer.edit(scope, 'note', 'n1', { set: { text: 'one' } });
  const { cursor } = (await raw.next()).changes;
  await raw.close();
  writer.edit(scope, 'note', 'n2', { set: { text: 'two' } });
  await writer.until(() => writer.queue().length === 0);
  const again = await RawSocket.greeted(server, reader);
  assert.deepEqual((await again.pullAll(cursor)).changes.map(({ id }) => id), ['n2']);
  await again.close();
  await writer.disconnect();
});

test('one device with two live connections gets everything on both', async () => {
  const [scope, phone] = await livePhones(1);
  const second = await RawSocket.greeted(server, phone);
  await second.pullAll();
  phone.edit(scope, 'note', 'n1', { set: { text: 'x' } });
  assert.deepEqual((await second.next()).changes.changes.map(({ id }) => id), ['n1']);
  await phone.until(() => phone.queue().length === 0);
  await second.close();
  await phone.disconnect();
});

test('a receipt and the echo of its op may come in any order, and nothing is shown twice', async () => {
  const [scope, phone] = await livePhones(1);
  const raw = await RawSocket.greeted(server, phone);
  await raw.pullAll();
  raw.send({ push: { ops: [opNow(1, scope, 'station_day', 's~2026-01-01', { inc: { water: 3 } })] } });
  const frames = [await raw.next(), await raw.next()];
  const { receipt } = frames.find((frame) => frame.receipt);
  const { changes } = frames.find((frame) => frame.changes);
  assert.equal(receipt.results[0].seq, changes.changes[0].seq);
  assert.equal(changes.changes[0].fields.water, 3);
  await raw.close();
  await phone.disconnect();
});
