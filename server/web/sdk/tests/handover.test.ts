// A phone without Internet gives its day to another as a file.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Json } from '../types';
import { codeOf, createScopes, enrolledPhone, live, note, recordsOnServer, stopPhones, text, until } from './fixtures';
import type { Phone } from './fixtures';
import { serverForFile } from './server';

const server = await serverForFile();
afterEach(stopPhones);
let made = 0;

/** Two phones of one scope; the first has written two notes and one thing that will be refused. */
async function phoneWithADay(): Promise<[string, Phone, Phone]> {
  const scope = `handover-${++made}`;
  await createScopes(server, scope);
  const phone = await enrolledPhone(server, [scope]);
  await phone.device.syncNow();
  phone.network.setUp(false);
  await phone.device.edit(note(scope, 'n1'), text('水'));
  await phone.device.edit(note(scope, 'n2'), { set: { done: 'no boolean' } });
  await phone.device.edit(note(scope, 'n3'), text('3'));
  return [scope, phone, await enrolledPhone(server, [scope], { role: 'volunteer' })];
}

// As a file that somebody carries.
const asFile = (file: Json): Json => JSON.parse(JSON.stringify(file, null, 2)) as Json;

test('the file goes over another phone, and nothing counts twice when the first comes online too', async () => {
  const [scope, phone, carrier] = await phoneWithADay();
  const file = await phone.device.exportQueue();
  const { token } = (await phone.storage.read((tx) => tx.get('meta', 'identity'))) as { token: string };
  assert.ok(!JSON.stringify(file).includes(token), 'the secret stays at home');
  assert.equal(await carrier.device.importQueue(asFile(file)), 3);
  assert.equal(await carrier.device.importQueue(asFile(file)), 3, 'read in twice it is the same file');
  await live(carrier.device);
  await until(carrier.device, () => carrier.device.carried()[0]?.waiting === 0);
  const device = phone.device.status().device!;
  assert.deepEqual(carrier.device.carried().map((one) => ({ ...one, refused: one.refused.map(({ n, refused }) => [n, refused.code]) })),
                   [{ device, waiting: 0, applied: 2, refused: [[2, 'field.type']], trouble: null }]);
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 2);
  assert.equal(phone.device.status().waiting, 3, 'the first phone has not heard of it');

  await phone.device.edit(note(scope, 'n4'), text('later')).catch(assert.fail);
  phone.network.setUp(true);
  await phone.device.syncNow();
  assert.deepEqual(phone.device.ownOps().map(({ op, state }) => [op.n, state]), [[1, 'applied'], [2, 'refused'], [3, 'applied'], [4, 'applied']]);
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 3);
  await carrier.device.forgetCarried(device);
  assert.deepEqual(carrier.device.carried(), []);
});

test('what is carried outlives the program and is kept until there is a network; sign-out does not lose it', async () => {
  const [scope, phone, carrier] = await phoneWithADay();
  await carrier.device.syncNow();
  carrier.network.setUp(false);
  await carrier.device.importQueue(asFile(await phone.device.exportQueue()));
  assert.equal(await codeOf(carrier.device.signOut()), 'offline');
  await carrier.killAndStart();
  assert.equal(carrier.device.carried()[0]?.waiting, 3);
  carrier.network.setUp(true);
  await carrier.device.signOut();
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 2);
});

test('a file that somebody has changed is not taken, and the reason stands beside it', async () => {
  const [scope, phone, carrier] = await phoneWithADay();
  const changed = JSON.parse(JSON.stringify(await phone.device.exportQueue()).replace('水', '火')) as Json;
  await carrier.device.importQueue(changed);
  await carrier.device.syncNow();
  assert.deepEqual(carrier.device.carried().map(({ waiting, trouble }) => [waiting, trouble]), [[3, 'handover.mac']]);
  assert.equal(await codeOf(carrier.device.signOut()), 'queue.waiting');
  assert.equal((await recordsOnServer(server, 'note', scope)).size, 0);
  await carrier.device.edit(note(scope, 'own'), text('x'));
  await carrier.device.syncNow();
  assert.equal(carrier.device.status().waiting, 0, 'its own edits are not held up');
});

test('what is no such file is refused, and nothing of it is kept', async () => {
  const [, , carrier] = await phoneWithADay();
  for (const file of [null, [], {}, { format: 'waystation-handover', version: 2, parts: [] }, { format: 'waystation-handover', version: 1, parts: [{}] }]) {
    assert.equal(await codeOf(carrier.device.importQueue(file as Json)), 'handover.format');
  }
  assert.deepEqual(carrier.device.carried(), []);
});

test('numbers that were handed out in a file are never given to other edits', async () => {
  const [, phone] = await phoneWithADay();
  assert.deepEqual(phone.device.ownOps().map(({ state }) => state), ['waiting', 'waiting', 'waiting']);
  await phone.device.exportQueue();
  assert.deepEqual(phone.device.ownOps().map(({ state }) => state), ['sent', 'sent', 'sent']);
});
