// The program is killed between any two transactions, a hundred times, in the middle of editing and syncing: what
// it had told the user as kept is there, and nothing counts twice on the server.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { createScopes, enrolledPhone, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import type { Phone } from './fixtures';
import { randomFrom } from './randomness';
import { serverForFile } from './server';

const server = await serverForFile();
afterEach(stopPhones);
const ROUNDS = 100;
const EDITS_IN_A_ROUND = 6;

/** Ends the program at the given transaction from now, before or behind it. */
function doom(phone: Phone, writes: number, fate: 'dies before' | 'dies behind'): Promise<void> {
  const { storage } = phone;
  const at = storage.writes + writes;
  storage.fate = () => (storage.writes >= at ? fate : 'lives');
  return new Promise((resolve) => (storage.onDeath = resolve));
}

test('a hundred kills', { timeout: 120_000 }, async (t) => {
  const random = randomFrom(t, 'KILL_SEED');
  const scope = 'kill';
  await createScopes(server, scope);
  const phone = await enrolledPhone(server, [scope]);
  const told = new Set<string>();
  let begun = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const death = doom(phone, 1 + random.below(8), random.chance(0.5) ? 'dies before' : 'dies behind');
    const { device } = phone;
    device.start();
    if (random.chance(0.2)) phone.network.lost.push(random.of(['hello', 'push', 'pull']));
    for (let i = 0; i < EDITS_IN_A_ROUND; i++) {
      const id = `n${begun++}`;
      // Both or none: the sum tells whether something has counted twice.
      const edit = device.editAll([[{ scope, coll: 'note', id }, { set: { text: id } }],
                                   [{ scope, coll: 'station_day', id: 's1~2026-01-01' }, { inc: { water: 1 } }]]);
      void edit.then(() => told.add(id));
      if (random.chance(0.5)) await Promise.race([edit, death]);
    }
    const settled = until(device, () => device.status().waiting === 0 && device.status().connection === 'live', 'settled', 60_000);
    await Promise.race([death, settled.catch(() => {})]);
    await phone.killAndStart();
    for (const id of told) assert.ok(phone.device.view({ scope, coll: 'note', id }), `${id} is missing after round ${round}`);
  }
  phone.network.lost.length = 0;
  await phone.device.syncNow();
  const notes = await recordsOnServer(server, 'note', scope);
  for (const id of told) assert.ok(notes.has(id), `${id} never arrived`);
  assert.ok(told.size > ROUNDS, `only ${told.size} edits were kept before the end came`);
  const days = await recordsOnServer(server, 'station_day', scope);
  assert.equal((JSON.parse(days.get('s1~2026-01-01')!) as { water: number }).water, notes.size, 'each edit counts once');
  assert.deepEqual(recordsOn(phone.device, 'note', scope), notes);
  assert.deepEqual(recordsOn(phone.device, 'station_day', scope), days);
  assert.equal(phone.device.status().refused, 0);
});

test('killed at each step of a first sync, it goes on and never has to begin anew', { timeout: 120_000 }, async () => {
  const scope = 'kill-fill';
  const office = await createScopes(server, scope);
  await Promise.all(Array.from({ length: 600 }, (_, i) => office.device.edit(note(scope, `n${i}`), text(`${i}`))));
  await office.device.syncNow();
  for (const fate of ['dies before', 'dies behind'] as const) {
    const phone = await enrolledPhone(server, [scope]);
    for (let at = 1, isAlive = false; !isAlive; at++) {
      const death = doom(phone, at, fate);
      isAlive = await Promise.race([phone.device.syncNow().then(() => true), death.then(() => false)]);
      await phone.killAndStart();
    }
    assert.deepEqual(recordsOn(phone.device, 'note', scope), await recordsOnServer(server, 'note', scope));
    // A page that was kept with its cursor is not asked for again.
    const cursors = phone.network.sent.filter(({ pull }) => pull).map(({ pull }) => pull.cursor as string);
    assert.ok(cursors.lastIndexOf('') < cursors.findIndex((cursor) => cursor !== ''), 'it began anew');
  }
});
