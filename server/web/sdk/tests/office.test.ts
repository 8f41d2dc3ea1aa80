// What the office decides about a device reaches it: wiped, shut out, drained, other scopes, another role.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Phone, codeOf, createScopes, enrolledPhone, live, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import type { Op } from '../types';
import { serverForFile } from './server';

const server = await serverForFile();
afterEach(stopPhones);
let made = 0;

function idOf(phone: Phone): string {
  const { device } = phone.device.status();
  assert.ok(device);
  return device;
}

// Edits are placed by the time that a hello takes on its way: what was written in the moment before a decision may
// count as written behind it.
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 500));

const decide = (phone: Phone, what: string, body?: unknown) => server.admin('POST', `/v1/devices/${idOf(phone)}/${what}`, body);
const setScopes = (phone: Phone, scopes: string[]) => server.admin('PUT', `/v1/devices/${idOf(phone)}/scopes`, { scopes });

async function phoneInNewScope(): Promise<[string, Phone, Phone]> {
  const scope = `office-${++made}`;
  const office = await createScopes(server, scope);
  return [scope, await enrolledPhone(server, [scope]), office];
}

async function holdsNothing(phone: Phone): Promise<void> {
  for (const table of ['ops', 'records', 'digests', 'refused', 'carried', 'files'] as const) {
    assert.deepEqual(await phone.storage.read((tx) => tx.list(table)), [], table);
  }
}

for (const way of ['over HTTP', 'live']) {
  test(`an order to wipe, ${way}: what waits is handed in, then nothing is held, and the office knows`, async () => {
    const [scope, phone] = await phoneInNewScope();
    await phone.device.edit(note(scope, 'n1'), text('before'));
    await phone.device.syncNow();
    await phone.device.edit(note(scope, 'n2'), text('waits'));
    const id = idOf(phone);
    await aMoment();
    await decide(phone, 'wipe', { now: false });
    if (way === 'live') {
      phone.device.start();
      await until(phone.device, () => phone.device.status().standing === 'wiped');
    } else {
      await phone.device.syncNow();
    }
    assert.equal(phone.device.status().standing, 'wiped');
    assert.equal((await recordsOnServer(server, 'note', scope)).size, 2);
    assert.ok((await server.deviceRow(id)).wipe?.confirmed);
    await holdsNothing(phone);
    assert.deepEqual(phone.device.list('note'), []);
    assert.equal(await codeOf(phone.device.edit(note(scope, 'n3'), text('x'))), 'device.wiped');
    await phone.device.enroll(server.url, await server.createCode([scope]), 'the same phone');
    await phone.device.syncNow();
    assert.equal(phone.device.list('note').length, 2);
  });
}

test('an order to wipe at once: what waits is lost; when the answer is lost too it is said again', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('lost'));
  await decide(phone, 'wipe', { now: true });
  phone.network.lost.push('wiped');
  await phone.device.syncNow();
  await holdsNothing(phone);
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 0);
  assert.deepEqual(phone.network.sent.filter(({ wiped }) => wiped).map(({ wiped }) => wiped), [{ discarded: 1 }, { discarded: 1 }]);
});

test('killed in the middle of a wipe it goes on, and takes no edit meanwhile', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.syncNow();
  await decide(phone, 'wipe', { now: false });
  for (let i = 0; i < 10 && phone.device.status().standing !== 'wiped'; i++) {
    const at = phone.storage.writes + i;
    phone.storage.fate = () => (phone.storage.writes > at ? 'dies behind' : 'lives');
    const death = new Promise<void>((resolve) => (phone.storage.onDeath = resolve));
    await Promise.race([phone.device.syncNow(), death]);
    await phone.killAndStart();
    if (phone.device.status().standing === 'wiping') assert.equal(await codeOf(phone.device.edit(note(scope, 'n'), text('x'))), 'device.wiped');
  }
  assert.equal(phone.device.status().standing, 'wiped');
  await holdsNothing(phone);
});

test('shut out: it stops with the code, keeps its queue, and asks again when it is started again', async () => {
  const [scope, phone] = await phoneInNewScope();
  await live(phone.device);
  await decide(phone, 'revoke');
  await until(phone.device, () => phone.device.status().standing === 'closed');
  await phone.device.edit(note(scope, 'n1'), text('kept'));
  assert.equal(phone.device.status().stopped, 'auth.revoked');
  const tries = phone.network.sent.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(phone.network.sent.length, tries, 'it does not go on asking');
  await phone.killAndStart();
  assert.equal(phone.device.status().standing, 'closed');
  assert.equal(await codeOf(phone.device.syncNow()), 'auth.revoked');
  await decide(phone, 'restore');
  await live(phone.device);
  assert.equal(phone.device.status().standing, 'active');
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 1);
});

test('shut out and told to wipe: it does, in spite of being shut out', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.syncNow();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  const id = idOf(phone);
  await decide(phone, 'wipe', { now: true });
  await decide(phone, 'revoke');
  await phone.device.syncNow();
  assert.equal(phone.device.status().standing, 'wiped');
  await holdsNothing(phone);
  assert.ok((await server.deviceRow(id)).wipe?.confirmed);
});

test('an order that is taken back before it is carried out is forgotten', async () => {
  const [scope, phone] = await phoneInNewScope();
  await live(phone.device);
  phone.network.setUp(false);
  await phone.device.edit(note(scope, 'n1'), text('x'));
  await decide(phone, 'wipe', { now: false });
  await decide(phone, 'restore');
  phone.network.setUp(true);
  await until(phone.device, () => phone.device.status().connection === 'live');
  assert.equal(phone.device.status().standing, 'active');
  assert.equal(phone.device.list('note').length, 1);
});

test('draining: it hands in what it wrote before, takes no edit, and goes on when restored', async () => {
  const [scope, phone] = await phoneInNewScope();
  await live(phone.device);
  await decide(phone, 'drain');
  await until(phone.device, () => phone.device.status().standing === 'draining');
  assert.equal(await codeOf(phone.device.edit(note(scope, 'n1'), text('x'))), 'device.draining');
  assert.equal(phone.device.view(note(scope, 'n1')), undefined);
  await decide(phone, 'restore');
  await until(phone.device, () => phone.device.status().standing === 'active');
  await phone.device.edit(note(scope, 'n1'), text('x'));
  await until(phone.device, () => phone.device.status().waiting === 0);
});

for (const way of ['over HTTP', 'live']) {
  test(`other scopes, ${way}: what it left goes, what it gained comes, and what waits is not lost`, async () => {
    const [east, phone, office] = await phoneInNewScope();
    const west = `${east}-west`;
    await office.device.edit({ scope: west, coll: 'scope', id: west }, { set: { title: 'west', kind: 'event' } });
    for (const scope of [east, west]) for (let i = 0; i < 3; i++) await office.device.edit(note(scope, `old${i}`), text(scope));
    await office.device.syncNow();
    await (way === 'live' ? live(phone.device) : phone.device.syncNow());
    assert.equal(phone.device.list('note', east).length, 3);
    if (way === 'live') phone.network.setUp(false);
    await phone.device.edit(note(east, 'mine'), text('written while it held the scope'));
    await aMoment();
    await setScopes(phone, [west]);
    phone.network.setUp(true);
    if (way === 'live') await until(phone.device, () => phone.device.list('note', west).length === 3 && phone.device.status().waiting === 0);
    else await phone.device.syncNow();
    assert.deepEqual(phone.device.scopes, [west]);
    assert.deepEqual(phone.device.list('note', east), []);
    assert.deepEqual(recordsOn(phone.device, 'note', west), await recordsOnServer(server, 'note', west));
    assert.equal((await recordsOnServer(server, 'note', east)).size, 4);
    assert.equal(phone.device.status().refused, 0);
  });
}

test('what it may not write is refused, shown with its reason, and holds nothing up', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note('nowhere', 'n1'), text('x'));
  await phone.device.edit(note(scope, 'n2'), text('y'));
  await phone.device.syncNow();
  assert.deepEqual(phone.device.ownOps().map(({ op, state, refused }) => [op.n, state, refused?.code]),
                   [[1, 'refused', 'scope.forbidden'], [2, 'applied', undefined]]);
  assert.equal(phone.device.view(note('nowhere', 'n1')), undefined);
  assert.equal((await server.deviceRow(idOf(phone))).refused, 1);
});

test('another role: what it shows no more goes, and the digests agree', async () => {
  const [scope, , office] = await phoneInNewScope();
  await office.device.edit({ scope, coll: 'volunteer', id: 'v1' }, { set: { name: '陈伟', phone_tail: '8888' } });
  await office.device.syncNow();
  const phone = await enrolledPhone(server, [scope], { role: 'lead' });
  await live(phone.device);
  const tail = () => phone.device.view({ scope, coll: 'volunteer', id: 'v1' })?.fields.phone_tail;
  assert.equal(tail(), '8888');
  await server.admin('PUT', `/v1/devices/${idOf(phone)}/role`, { role: 'volunteer' });
  await until(phone.device, () => tail() === undefined && phone.device.status().connection === 'live');
  assert.equal(phone.device.status().trouble, null);
});

test('signing out hands in what waits, removes everything, and tells the office', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  const id = idOf(phone);
  phone.network.setUp(false);
  assert.equal(await codeOf(phone.device.signOut()), 'offline');
  assert.equal(phone.device.status().waiting, 1);
  phone.network.setUp(true);
  await phone.device.signOut();
  assert.equal(phone.device.status().standing, 'wiped');
  await holdsNothing(phone);
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 1);
  assert.equal((await server.deviceRow(id)).state, 'closed');
});

test('signing out without a network, what waits given up: removed at once, the office told later', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('x'));
  const id = idOf(phone);
  phone.network.setUp(false);
  await phone.device.signOut({ discard: true });
  assert.equal(phone.device.status().standing, 'wiping');
  await holdsNothing(phone);
  phone.network.setUp(true);
  await phone.killAndStart();
  phone.device.start();
  await until(phone.device, () => phone.device.status().standing === 'wiped');
  assert.equal((await server.deviceRow(id)).state, 'closed');
});

test('a lease is spent down to nothing and no further, without a network', async () => {
  const [scope, phone, office] = await phoneInNewScope();
  const key = { scope, coll: 'quota', id: 'gifts' };
  await office.device.edit(key, { set: { title: 'gifts' }, grant: { places: 40 } });
  await office.device.syncNow();
  assert.deepEqual(phone.device.leaseLeft(key, 'places'), { left: 0, expires: null });
  await phone.device.edit(key, { lease: { places: 5 } });
  assert.equal(await codeOf(phone.device.edit(key, { spend: { places: 1 } })), 'quota.exceeded');
  await phone.device.syncNow();
  const { left, expires } = phone.device.leaseLeft(key, 'places');
  assert.equal(left, 5);
  assert.ok(expires !== null && expires > Date.now());
  phone.network.setUp(false);
  const spends = Array.from({ length: 6 }, () => codeOf(phone.device.edit(key, { spend: { places: 1 } })));
  assert.deepEqual(await Promise.all(spends), [...Array<string>(5).fill('fulfilled'), 'quota.exceeded']);
  assert.equal(phone.device.leaseLeft(key, 'places').left, 0);
  phone.network.setUp(true);
  await phone.device.syncNow();
  assert.equal(phone.device.leaseLeft(key, 'places').left, 0);
  assert.equal((phone.device.view(key)?.fields.places as { spent: number }).spent, 5);
  assert.equal(phone.device.status().refused, 0);
});

const person = (scope: string, id: string) => ({ scope, coll: 'volunteer', id });
const keptOf = async (phone: Phone) => JSON.stringify(await phone.storage.read((tx) => Promise.all((['ops', 'records', 'refused', 'carried'] as const).map((table) => tx.list(table)))));

test('somebody who is erased goes from a phone’s own edits too: accepted ones, refused ones, and those that come too late', async () => {
  const [scope, phone] = await phoneInNewScope();
  const away = await enrolledPhone(server, [scope]);
  await phone.device.edit(person(scope, 'v1'), { set: { name: '慕容栖梧', team: '蓝天救援队' } });
  await phone.device.edit(person(scope, 'v2'), { set: { name: '方志明' } });
  await phone.device.edit(person(scope, 'v1'), { set: { name: '慕容栖梧', phone_tail: '13926125837' } });
  await phone.device.syncNow();
  await away.device.syncNow();
  await away.device.edit(person(scope, 'v1'), { set: { note: '慕容家属来电', team: '轻骑兵' } });
  assert.match(await keptOf(phone), /慕容/);
  await server.admin('POST', '/v1/persons/v1/erase');
  for (const one of [phone, away]) {
    await one.device.syncNow();
    assert.doesNotMatch(await keptOf(one), /慕容|13926125837/);
    await one.killAndStart();
    assert.doesNotMatch(JSON.stringify(one.device.ownOps()), /慕容|13926125837/);
  }
  const setOf = (op: Op | undefined) => (op === undefined || op.lost === true ? undefined : op.set);
  assert.deepEqual(phone.device.ownOps().map(({ op, state }) => [setOf(op), state]), [
    [{ name: null, team: '蓝天救援队' }, 'applied'], [{ name: '方志明' }, 'applied'], [{ name: null, phone_tail: null }, 'refused']]);
  const [late] = away.device.ownOps();
  assert.deepEqual([late?.refused?.code, setOf(late?.op)], ['person.erased', { note: null, team: '轻骑兵' }]);
});
