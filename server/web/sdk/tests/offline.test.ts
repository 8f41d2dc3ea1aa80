// Without coverage, with answers that get lost, with programs that end: nothing is lost, nothing counts twice.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MortalStorage, Phone, codeOf, createScopes, enrolledPhone, live, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import { serverForFile } from './server';

const server = await serverForFile();
afterEach(stopPhones);
let made = 0;

async function phoneInNewScope(): Promise<[string, Phone]> {
  const scope = `offline-${++made}`;
  await createScopes(server, scope);
  return [scope, await enrolledPhone(server, [scope])];
}

const day = (scope: string) => ({ scope, coll: 'station_day', id: 's1~2026-01-01' });
const tap = { inc: { water: 1 } };

async function waterOnServer(scope: string): Promise<number> {
  return (JSON.parse((await recordsOnServer(server, 'station_day', scope)).get('s1~2026-01-01') ?? '{}') as { water?: number }).water ?? 0;
}

test('what one phone writes the other shows, live', async () => {
  const [scope, one] = await phoneInNewScope();
  const other = await enrolledPhone(server, [scope]);
  await Promise.all([live(one.device), live(other.device)]);
  const edit = one.device.edit(note(scope, 'n1'), text('水不够'));
  assert.equal(one.device.view(note(scope, 'n1'))?.fields.text, '水不够', 'before it is stored');
  assert.equal((await edit).n, 1);
  await until(other.device, () => other.device.view(note(scope, 'n1'))?.fields.text === '水不够');
  await until(one.device, () => one.device.status().waiting === 0);
  assert.equal(one.device.view(note(scope, 'n1'))?.waiting, 0);
  assert.deepEqual(one.device.ownOps().map(({ op, state }) => [op.n, state]), [[1, 'applied']]);
});

test('a day without coverage, with the program ended and begun again in it, arrives whole', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.syncNow();
  phone.network.setUp(false);
  for (let i = 0; i < 10; i++) await phone.device.edit(day(scope), tap);
  await phone.killAndStart();
  assert.equal(phone.device.view(day(scope))?.fields.water, 10);
  for (let i = 0; i < 10; i++) await phone.device.edit(day(scope), tap);
  const { waiting, applied, last, oldest } = phone.device.status();
  assert.deepEqual([waiting, applied, last], [20, 0, 20]);
  assert.equal(oldest, (phone.device.ownOps()[0]?.op as { wall: number }).wall);
  assert.equal(await codeOf(phone.device.syncNow()), 'offline');
  phone.network.setUp(true);
  await phone.device.syncNow();
  assert.equal(phone.device.status().waiting, 0);
  assert.equal(phone.device.status().trouble, null);
  assert.equal(await waterOnServer(scope), 20);
  assert.equal(phone.device.view(day(scope))?.fields.water, 20);
});

test('several edits at once are all kept, or none', async () => {
  const [scope, phone] = await phoneInNewScope();
  const ops = await phone.device.editAll([[note(scope, 'a'), text('1')], [note(scope, 'b'), text('2')]]);
  assert.deepEqual(ops.map(({ n }) => n), [1, 2]);
  assert.equal(await codeOf(phone.device.editAll([[note(scope, 'c'), text('3')], [note(scope, 'd'), text('\ud800')]])), 'op.invalid');
  assert.equal(phone.device.view(note(scope, 'c')), undefined);
  assert.equal(phone.device.status().last, 2);
});

test('storage full: the edit is refused and not shown, and what was there stays', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('kept'));
  const write = MortalStorage.prototype.write;
  phone.storage.write = () => Promise.reject(Object.assign(new Error(), { code: 'storage.full' }));
  const edit = phone.device.edit(note(scope, 'n2'), text('too much'));
  assert.equal(await codeOf(edit), 'storage.full');
  assert.equal(phone.device.view(note(scope, 'n2')), undefined);
  phone.storage.write = write;
  assert.equal((await phone.device.edit(note(scope, 'n3'), text('room again'))).n, 2);
});

for (const kind of ['hello', 'push', 'pull']) {
  test(`the answer to a ${kind} is lost, over HTTP and live: all is counted once`, async () => {
    const [scope, phone] = await phoneInNewScope();
    for (let i = 0; i < 3; i++) void phone.device.edit(day(scope), tap);
    phone.network.lost.push(kind, kind);
    await phone.device.syncNow();
    for (let i = 0; i < 2; i++) await phone.device.edit(day(scope), tap);
    phone.network.lost.push(kind);
    await live(phone.device);
    assert.equal(phone.network.lost.length, 0);
    assert.equal(await waterOnServer(scope), 5);
    await until(phone.device, () => phone.device.view(day(scope))?.fields.water === 5 && phone.device.view(day(scope))?.waiting === 0);
  });
}

test('a lost answer that told of a refusal is told again: the user hears of it', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), { set: { done: 'no boolean' } });
  await phone.device.edit(note(scope, 'n2'), text('good'));
  phone.network.lost.push('push');
  await live(phone.device);
  assert.deepEqual(phone.device.ownOps().map(({ op, state, refused }) => [op.n, state, refused?.code]),
                   [[1, 'refused', 'field.type'], [2, 'applied', undefined]]);
  assert.equal(phone.device.view(note(scope, 'n1')), undefined);
  await phone.device.putAway(1);
  assert.equal(phone.device.status().refused, 0);
  await phone.killAndStart();
  assert.deepEqual(phone.device.ownOps().map(({ op }) => op.n), [2]);
});

test('enrolment: the answer is lost, and the program ends over it: still one device', async () => {
  const phone = new Phone();
  await phone.start();
  const code = await server.createCode(['*']);
  phone.network.lost.push('enroll');
  assert.equal(await codeOf(phone.device.enroll(server.url, code, 'a phone')), 'offline');
  await phone.killAndStart();
  await phone.device.enroll(server.url, code, 'a phone');
  assert.equal(await codeOf(phone.device.enroll(server.url, code, 'a phone')), 'device.enrolled');
  await phone.device.syncNow();
  assert.equal(phone.device.status().standing, 'active');
  assert.equal(phone.device.role, 'office');
  assert.deepEqual(phone.device.scopes, ['*']);
});

test('a wrong code is told, and another can be tried', async () => {
  const phone = new Phone();
  await phone.start();
  assert.equal(await codeOf(phone.device.enroll(server.url, 'AAAAA-AAAAA', 'a phone')), 'code.invalid');
  assert.equal(phone.device.status().standing, 'new');
  assert.equal(await codeOf(phone.device.edit(note('x', 'n'), text('x'))), 'auth.required');
  await phone.device.enroll(server.url, await server.createCode(['*']), 'a phone');
  assert.equal(phone.device.status().standing, 'active');
});

test('two phones sign the same person in: one record, and the value that lost is counted', async () => {
  const [scope, one] = await phoneInNewScope();
  const two = await enrolledPhone(server, [scope]);
  const key = { scope, coll: 'attendance', id: 'e1~v7' };
  for (const { device } of [one, two]) await device.edit(key, { set: { event: 'e1', volunteer: 'v7', note: device.status().device } });
  await one.device.syncNow();
  await two.device.syncNow();
  await one.device.syncNow();
  assert.deepEqual(one.device.view(key), two.device.view(key));
  assert.equal(one.device.view(key)?.conflicts, 1);
});

test('an edit names what its author saw, and one of a record that is gone that it is gone', async () => {
  const [scope, phone] = await phoneInNewScope();
  const other = await enrolledPhone(server, [scope]);
  await other.device.edit(note(scope, 'n1'), text('a'));
  await other.device.syncNow();
  await phone.device.syncNow();
  const seen = await phone.device.edit(note(scope, 'n1'), text('b')) as { base: number; schema: number };
  assert.equal(seen.base, phone.device.view(note(scope, 'n1'))?.seq);
  assert.equal((await phone.device.edit(note(scope, 'n2'), text('new')) as { base: number }).base, 0);
  const signIn = await phone.device.edit({ scope, coll: 'attendance', id: 'e1~v1' }, { set: { event: 'e1', volunteer: 'v1' } }) as { base: number; schema: number };
  assert.equal(signIn.schema, 2);
  assert.ok(signIn.base >= seen.base, 'that the scope holds no such record, as of its last digest');
  await phone.device.syncNow();
  assert.equal(phone.device.view(note(scope, 'n1'))?.conflicts, 0);
});

test('a record that is deleted goes from the list, and can be written again', async () => {
  const [scope, phone] = await phoneInNewScope();
  await phone.device.edit(note(scope, 'n1'), text('a'));
  await phone.device.syncNow();
  const del = phone.device.edit(note(scope, 'n1'), { del: true });
  assert.deepEqual(phone.device.list('note', scope), []);
  await del;
  await phone.device.syncNow();
  assert.deepEqual(phone.device.list('note'), []);
  await phone.device.edit(note(scope, 'n1'), text('again'));
  await phone.device.syncNow();
  assert.deepEqual(await recordsOnServer(server, 'note', scope), recordsOn(phone.device, 'note', scope));
  assert.equal(phone.device.view(note(scope, 'n1'))?.fields.text, 'again');
});

test('a long queue goes in batches, and a break in the middle changes nothing', async () => {
  const [scope, phone] = await phoneInNewScope();
  const edits = Array.from({ length: 450 }, (_, i) => phone.device.edit(note(scope, `n${i}`), text(`${i}`)));
  await Promise.all(edits);
  let left = 3;
  phone.network.cuts = () => phone.network.sent.filter(({ push }) => push !== undefined).length > 1 && left-- > 0;
  await live(phone.device);
  await until(phone.device, () => phone.device.list('note', scope).every(({ waiting }) => waiting === 0));
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 450);
  for (const { push } of phone.network.sent) assert.ok(push === undefined || push.ops.length <= 100);
});

test('the server dies and comes back: the phone goes on by itself', async () => {
  const [scope, phone] = await phoneInNewScope();
  await live(phone.device);
  for (let i = 0; i < 3; i++) {
    const edits = Array.from({ length: 20 }, () => phone.device.edit(day(scope), tap));
    await server.killAndRestart();
    await Promise.all(edits);
  }
  await until(phone.device, () => phone.device.status().waiting === 0 && phone.device.status().connection === 'live');
  assert.equal(await waterOnServer(scope), 60);
});

test('listeners hear what changed, and only once it can be seen', async () => {
  const [scope, phone] = await phoneInNewScope();
  const heard: string[] = [];
  phone.device.subscribe(({ records }) => records.forEach((key) => heard.push(`${key.id}=${String(phone.device.view(key)?.fields.text)}`)));
  await phone.device.edit(note(scope, 'n1'), text('a'));
  await until(phone.device, () => heard.length > 0);
  assert.equal(heard[0], 'n1=a');
});

test('a line that is dead without a word is found out when the user comes back', async () => {
  const [scope, phone] = await phoneInNewScope();
  const other = await enrolledPhone(server, [scope]);
  await live(phone.device);
  const pulls = () => phone.network.sent.filter(({ pull }) => pull).length;
  const before = pulls();
  phone.device.comeForward();
  await until(phone.device, () => pulls() === before + 1 && phone.device.status().connection === 'live');
  await other.device.edit(note(scope, 'n1'), text('x'));
  await other.device.syncNow();
  await until(phone.device, () => phone.device.list('note', scope).length === 1);
});
