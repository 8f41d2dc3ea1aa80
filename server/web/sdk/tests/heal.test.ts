// A server or a phone that is an older copy of itself, a digest that differs, a cursor that is no good, a server
// that is busy: the device helps itself.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { promisify } from 'node:util';
import { MirroredTables, codeOf, createScopes, enrolledPhone, live, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import type { Phone } from './fixtures';
import { serverForFile } from './server';
import type { Server } from './server';

const server = await serverForFile();
afterEach(stopPhones);
let made = 0;

async function phoneInNewScope(): Promise<[string, Phone, Phone]> {
  const scope = `heal-${++made}`;
  const office = await createScopes(server, scope);
  return [scope, await enrolledPhone(server, [scope]), office];
}

async function restoreFrom(folder: string, { data }: Server): Promise<void> {
  await server.stop();
  await rename(data, `${data}.lost`);
  await promisify(execFile)(process.env.WAYSTATION!, ['restore', '--data', data, '--from', folder, '--master-key', `${data}.lost/master.key`]);
  await rename(`${data}.lost/admin.token`, `${data}/admin.token`);
  await rm(`${data}.lost`, { recursive: true });
  await server.start();
}

test('a server that is restored from a backup gets again what the backup missed', async () => {
  const [scope, phone] = await phoneInNewScope();
  await live(phone.device);
  await phone.device.edit(note(scope, 'n1'), text('in the backup'));
  await until(phone.device, () => phone.device.status().waiting === 0);
  const folder = `${server.data}.backup`;
  await server.admin('POST', '/v1/backup', { to: folder });
  await phone.device.edit(note(scope, 'n2'), text('behind the backup'));
  await until(phone.device, () => phone.device.status().waiting === 0);
  assert.deepEqual(phone.device.ownOps().map(({ op, state }) => [op.n, state]), [[1, 'backed_up'], [2, 'applied']]);
  phone.network.setUp(false);
  await phone.device.edit(note(scope, 'n3'), text('waits'));
  await restoreFrom(folder, server);
  await rm(folder, { recursive: true });
  phone.network.setUp(true);
  await until(phone.device, () => phone.device.status().waiting === 0 && phone.device.status().connection === 'live');
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 3);
  assert.deepEqual(recordsOn(phone.device, 'note', scope), await recordsOnServer(server, 'note', scope));
  assert.deepEqual(phone.device.ownOps().map(({ op, state }) => [op.n, state]), [[1, 'applied'], [2, 'applied'], [3, 'applied']]);
});

test('a restored server that does not know the phone: enrolled again, it hands in all it holds under its new name', async () => {
  const [, , office] = await phoneInNewScope();
  const folder = `${server.data}.backup2`;
  await server.admin('POST', '/v1/backup', { to: folder });
  const scope = `heal-${++made}`;
  await office.device.edit({ scope, coll: 'scope', id: scope }, { set: { title: scope, kind: 'event' } });
  await office.device.syncNow();
  const phone = await enrolledPhone(server, [scope]);
  await phone.device.edit(note(scope, 'n1'), text('behind the backup'));
  await phone.device.edit(note(scope, 'n2'), { set: { done: 'refused' } });
  await phone.device.syncNow();
  await phone.device.edit(note(scope, 'n3'), text('waits'));
  await restoreFrom(folder, server);
  await rm(folder, { recursive: true });
  assert.equal(await codeOf(phone.device.syncNow()), 'auth.unknown_device');
  assert.equal(phone.device.status().standing, 'closed');
  await office.device.syncNow();
  await phone.device.enroll(server.url, await server.createCode([scope]), 'the same phone');
  await phone.device.syncNow();
  assert.deepEqual([...(await recordsOnServer(server, 'note', scope)).keys()], ['n1', 'n3']);
  assert.deepEqual(phone.device.ownOps().map(({ op, state }) => [op.n, state]), [[1, 'applied'], [2, 'refused'], [3, 'applied']]);
});

test('a phone that gets back an older copy of itself loses nothing that it writes from then on', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('one'));
  await phone.device.syncNow();
  const copy = await MirroredTables.of(phone.storage);
  await phone.device.edit(note(scope, 'n2'), text('two'));
  await phone.device.syncNow();
  await copy.putInto(phone.storage);
  await phone.killAndStart();
  assert.equal((await phone.device.edit(note(scope, 'n3'), text('three'))).n, 2);
  await phone.device.syncNow();
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 3);
  assert.deepEqual(recordsOn(phone.device, 'note', scope), await recordsOnServer(server, 'note', scope));
  assert.equal(phone.device.status().refused, 0);
  assert.equal((await phone.device.edit(note(scope, 'n4'), text('four'))).n, 4);
});

function fromNothing(phone: Phone): number {
  return phone.network.sent.filter(({ pull }) => pull?.cursor === '').length;
}

function spoilDigests(reply: Record<string, any>): Record<string, any> {
  return reply.changes?.digests ? { ...reply, changes: { ...reply.changes, digests: reply.changes.digests.map((one: object) => ({ ...one, digest: 'f'.repeat(64) })) } } : reply;
}

for (const way of ['over HTTP', 'live']) {
  test(`a digest that differs, ${way}: all is fetched anew, once; a second one in a row is told`, async () => {
    const [scope, phone] = await phoneInNewScope();
    const sync = () => (way === 'live' ? live(phone.device) : phone.device.syncNow());
    let left = 1;
    phone.network.alter = (reply) => (reply.changes?.digests && left-- > 0 ? spoilDigests(reply) : reply);
    await phone.device.edit(note(scope, 'n1'), text('x'));
    await sync();
    assert.equal(fromNothing(phone), 2);
    assert.equal(phone.device.status().trouble, null);
    phone.device.stop();
    phone.network.alter = spoilDigests;
    await phone.device.edit(note(scope, 'n2'), text('y'));
    await sync();
    assert.equal(fromNothing(phone), 3);
    assert.equal(phone.device.status().trouble, 'digest.differs');
    assert.equal(phone.device.status().waiting, 0, 'what is written still arrives');
    await phone.device.edit(note(scope, 'n3'), text('z'));
    await sync();
    assert.equal(fromNothing(phone), 3, 'and it is not fetched again and again');
    phone.device.stop();
    phone.network.alter = (reply) => reply;
    await phone.device.edit(note(scope, 'n4'), text('!'));
    await sync();
    await until(phone.device, () => phone.device.status().trouble === null);
  });
}

test('a cursor that is no good: from nothing, and the queue stays', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  await phone.device.syncNow();
  await phone.device.edit(note(scope, 'n2'), text('y'));
  await phone.storage.write(async (tx) => {
    tx.put('meta', 'progress', { ...((await tx.get('meta', 'progress')) as object), cursor: 'made up' });
  });
  await phone.killAndStart();
  await phone.device.syncNow();
  assert.deepEqual(recordsOn(phone.device, 'note', scope), await recordsOnServer(server, 'note', scope));
  assert.equal(phone.device.list('note', scope).length, 2);
});

test('busy: the same is sent again after the time that was asked for', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  let busy = 2;
  phone.network.alter = (reply) => (reply.receipt && busy-- > 0 ? { busy: { retry_after_ms: 20 } } : reply);
  await phone.device.syncNow();
  assert.equal(phone.device.status().waiting, 0);
  busy = 2;
  await phone.device.edit(note(scope, 'n2'), text('y'));
  await live(phone.device);
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 2);
});

test('an answer that nobody can understand is no reason to lose anything', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  let bad = 2;
  phone.network.alter = (reply) => (reply.receipt && bad-- > 0 ? { receipt: { results: null } } : reply);
  phone.device.start();
  await until(phone.device, () => phone.device.status().trouble === 'client.failed');
  await until(phone.device, () => phone.device.status().waiting === 0 && phone.device.status().trouble === null);
});

test('a first sync shows how far it is, and goes on where it was cut off', async () => {
  const [scope, phone, office] = await phoneInNewScope();
  await Promise.all(Array.from({ length: 1200 }, (_, i) => office.device.edit(note(scope, `n${i}`), text(`${i}`))));
  await office.device.syncNow();
  const counts: number[] = [];
  phone.device.subscribe(() => counts.push(phone.device.status().filling ?? -1));
  let pages = 0;
  phone.network.cuts = () => phone.network.received.filter(({ changes }) => changes).length === 2 && pages++ === 0;
  await live(phone.device);
  assert.equal(phone.device.list('note', scope).length, 1200);
  assert.ok(counts.some((count) => count > 0 && count < 1200), 'a count in between');
  assert.equal(phone.device.status().filling, null);
  assert.equal(fromNothing(phone), 1, 'nothing comes twice');
});
