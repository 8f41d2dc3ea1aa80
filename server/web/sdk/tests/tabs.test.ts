// Several tabs on one storage: one queue, one of them syncs, all of them see everything.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Device } from '../device';
import { tabs } from '../tabs';
import { MortalStorage, Phone, createScopes, enrolledPhone, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import { installLocks } from './locks';
import { serverForFile } from './server';

installLocks();
const server = await serverForFile();
const opened: Tab[] = [];
afterEach(async () => {
  stopPhones();
  for (const tab of opened.splice(0)) tab.close();
});
let made = 0;

/** A tab of the phone's browser. */
interface Tab {
  device: Device;
  storage: MortalStorage;
  close(): void;
}

async function openTab(phone: Phone): Promise<Tab> {
  const neighbours = tabs(phone.name)!;
  const device = await phone.start(neighbours);
  const { storage } = phone;
  const tab = { device, storage, close: () => {
    storage.kill();
    device.stop();
    neighbours.close();
  } };
  opened.push(tab);
  return tab;
}

async function tabsInNewScope(count: number): Promise<[string, Phone, Tab[]]> {
  const scope = `tabs-${++made}`;
  await createScopes(server, scope);
  const phone = new Phone();
  const all = [await openTab(phone)];
  await all[0]!.device.enroll(server.url, await server.createCode([scope], { role: 'office' }), 'tabs');
  while (all.length < count) all.push(await openTab(phone));
  return [scope, phone, all];
}

test('edits of all tabs at the same time get consecutive numbers, and all tabs show all of them', async () => {
  const [scope, , all] = await tabsInNewScope(3);
  const edits = all.flatMap(({ device }, tab) => Array.from({ length: 30 }, (_, i) => device.edit(note(scope, `t${tab}-${i}`), text('x'))));
  const numbers = (await Promise.all(edits)).map(({ n }) => n).sort((a, b) => a - b);
  assert.deepEqual(numbers, Array.from({ length: 90 }, (_, i) => i + 1));
  for (const { device } of all) await until(device, () => device.list('note', scope).length === 90 && device.status().waiting === 90);
});

test('one of the tabs syncs, and what another writes is handed in at once and shown by all', async () => {
  const [scope, phone, all] = await tabsInNewScope(3);
  const other = await enrolledPhone(server, [scope]);
  for (const { device } of all) device.start();
  for (const { device } of all) await until(device, () => device.status().connection === 'live');
  assert.equal(phone.network.sent.filter(({ hello }) => hello).length, 1, 'one connection for all');
  await all[2]!.device.edit(note(scope, 'n1'), text('from the third'));
  for (const { device } of all) await until(device, () => device.status().waiting === 0 && device.status().applied === 1);
  await other.device.syncNow();
  await other.device.edit(note(scope, 'n1'), text('answer'));
  await other.device.syncNow();
  for (const { device } of all) await until(device, () => device.view(note(scope, 'n1'))?.fields.text === 'answer');
});

test('the tab that syncs is closed: the next one goes on', async () => {
  const [scope, , all] = await tabsInNewScope(2);
  const [first, second] = all as [Tab, Tab];
  first.device.start();
  await until(first.device, () => first.device.status().connection === 'live');
  second.device.start();
  await until(second.device, () => second.device.status().connection === 'live');
  first.close();
  await second.device.edit(note(scope, 'n1'), text('x'));
  await until(second.device, () => second.device.status().waiting === 0 && second.device.status().connection === 'live');
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 1);
});

test('a tab in which the user asks for a sync takes over from one in the background', async () => {
  const [scope, phone, all] = await tabsInNewScope(2);
  const [first, second] = all as [Tab, Tab];
  first.device.start();
  await until(first.device, () => first.device.status().connection === 'live');
  second.device.start();
  await second.device.edit(note(scope, 'n1'), text('x'));
  await second.device.syncNow();
  assert.equal(second.device.status().waiting, 0);
  await until(first.device, () => first.device.status().waiting === 0);
  await until(second.device, () => second.device.status().connection === 'live');
  assert.equal(second.device.status().trouble, null);
  assert.ok(phone.network.sent.length < 20, 'they do not take it from each other again and again');
});

test('a tab that slept through many changes catches up', async () => {
  const [scope, , all] = await tabsInNewScope(2);
  const [first, second] = all as [Tab, Tab];
  const read = second.storage.read.bind(second.storage);
  // Frozen: it hears nothing.
  second.storage.read = () => Promise.reject(new Error('frozen'));
  for (let i = 0; i < 100; i++) await first.device.edit(note(scope, `n${i}`), text('x'));
  second.storage.read = read;
  const { n } = await second.device.edit(note(scope, 'mine'), text('y'));
  assert.equal(n, 101);
  assert.equal(second.device.list('note', scope).length, 101);
  await first.device.syncNow();
  await until(second.device, () => second.device.status().waiting === 0);
  assert.deepEqual(recordsOn(second.device, 'note', scope), await recordsOnServer(server, 'note', scope));
});

test('signed out in one tab, signed out in all', async () => {
  const [scope, , all] = await tabsInNewScope(2);
  const [first, second] = all as [Tab, Tab];
  await first.device.edit(note(scope, 'n1'), text('x'));
  await first.device.signOut();
  await until(second.device, () => second.device.status().standing === 'wiped');
  assert.deepEqual(second.device.list('note'), []);
});

test('the tab that the user looks at syncs, whichever came first', async () => {
  const [scope, , all] = await tabsInNewScope(2);
  const [first, second] = all as [Tab, Tab];
  for (const { device } of all) device.start();
  await until(second.device, () => second.device.status().connection === 'live');
  second.device.comeForward();
  // The other sleeps from now on, as a tab in the background may.
  first.storage.kill();
  await second.device.edit(note(scope, 'n1'), text('x'));
  await until(second.device, () => second.device.status().waiting === 0 && second.device.status().connection === 'live');
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 1);
});
