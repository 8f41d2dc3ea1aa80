// Several devices, edits of every kind on few records, a network, programs and a server that fail at random: in
// the end all of them show what the server holds.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Edits, RecordKey } from '../types';
import { createScopes, enrolledPhone, recordsOn, recordsOnServer, stopPhones } from './fixtures';
import type { Phone } from './fixtures';
import { randomFrom } from './randomness';
import type { Randomness } from './randomness';
import { serverForFile } from './server';

const server = await serverForFile();
afterEach(stopPhones);
const DEVICES = 5;
const STEPS = 400;
const COLLECTIONS = ['note', 'attendance', 'station_day', 'volunteer', 'visit', 'quota'];

function randomEdit(random: Randomness, scope: string, made: number): [RecordKey, Edits] {
  const which = random.below(4);
  switch (random.below(9)) {
    case 0: return [{ scope, coll: 'note', id: `n${which}` }, { set: { text: `text ${made}` } }];
    case 1: return [{ scope, coll: 'note', id: `n${which}` }, random.chance(0.5) ? { del: true } : { set: { text: null } }];
    case 2: return [{ scope, coll: 'attendance', id: `e1~v${which}` }, { set: { event: 'e1', volunteer: `v${which}`, points: made } }];
    case 3: return [{ scope, coll: 'attendance', id: `e1~v${which}` }, { add: { tags: [`t${random.below(5)}`] }, append: { remarks: [`r${made}`] } }];
    case 4: return [{ scope, coll: 'attendance', id: `e1~v${which}` }, { remove: { tags: [`t${random.below(5)}`] } }];
    case 5: return [{ scope, coll: 'station_day', id: 's1~2026-01-01' }, { inc: { water: random.below(5) - 2, rest: 1 } }];
    case 6: return [{ scope, coll: 'volunteer', id: `v${which}` }, { add: { skills: [`s${random.below(3)}`] }, set: { name: `名${made}` } }];
    case 7: return [{ scope, coll: 'quota', id: 'q' }, random.chance(0.5) ? { lease: { places: 2 } } : { grant: { places: 3 } }];
    // Some that are refused.
    default: return [{ scope, coll: 'note', id: `n${which}` }, { set: { done: `no boolean ${made}` } }];
  }
}

async function step(random: Randomness, phone: Phone, scope: string, made: number): Promise<void> {
  switch (random.below(12)) {
    case 0: return phone.network.setUp(false);
    case 1:
    case 2: return phone.network.setUp(true);
    case 3: return void phone.network.lost.push(random.of(['hello', 'push', 'pull']));
    case 4: return phone.device.start();
    case 5: return phone.device.stop();
    case 6: {
      const at = phone.storage.writes + random.below(5);
      const fate = random.chance(0.5) ? 'dies before' : 'dies behind';
      phone.storage.fate = () => (phone.storage.writes > at ? fate : 'lives');
      await new Promise((resolve) => setTimeout(resolve, random.below(20)));
      await phone.killAndStart();
      return;
    }
    case 7: return phone.device.syncNow().catch(() => {});
    default: await Promise.race([phone.device.edit(...randomEdit(random, scope, made)).catch(() => {}), new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}

test('whatever happens, all come to the same', { timeout: 120_000 }, async (t) => {
  const random = randomFrom(t, 'RANDOM_SEED');
  const scope = 'random';
  await createScopes(server, scope);
  const phones = await Promise.all(Array.from({ length: DEVICES }, () => enrolledPhone(server, [scope])));
  for (let made = 0; made < STEPS; made++) {
    await step(random, random.of(phones), scope, made);
    if (random.chance(0.01)) await server.killAndRestart();
  }
  for (const phone of phones) {
    phone.network.setUp(true);
    phone.network.lost.length = 0;
    phone.storage.fate = () => 'lives';
    await phone.killAndStart();
    await phone.device.syncNow();
  }
  for (const phone of phones) await phone.device.syncNow();
  for (const coll of COLLECTIONS) {
    const expected = await recordsOnServer(server, coll, scope);
    for (const phone of phones) assert.deepEqual(recordsOn(phone.device, coll, scope), expected, `${coll} on ${phone.name}`);
  }
  for (const phone of phones) {
    const { waiting, applied, last, trouble, refused, device } = phone.device.status();
    assert.deepEqual([waiting, applied, trouble], [0, last, null]);
    assert.equal((await server.deviceRow(device!)).applied, last);
    assert.equal((await server.deviceRow(device!)).refused, refused, 'each refusal has reached its author');
  }
});
