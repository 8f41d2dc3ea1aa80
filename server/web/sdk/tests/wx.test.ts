// The mini-program's adapter against a `wx` with its limits, and a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAST, codeOf, createScopes, note, recordsOn, recordsOnServer, stopPhones, text, until } from './fixtures';
import { FakeWx } from './fake_wx';
import { randomFrom } from './randomness';
import { serverForFile } from './server';
import { openWxDevice } from '../wx';
import type { Device } from '../device';
import { WxStorage } from '../wx_storage';
import type { KeyStore } from '../wx_storage';

const server = await serverForFile();

const open = (wx: FakeWx) => openWxDevice(wx, { pauses: FAST, app: 'wx tests' });

async function enrolled(scope: string, wx = new FakeWx()): Promise<[FakeWx, Device]> {
  const office = await createScopes(server, scope);
  office.device.stop();
  stopPhones();
  const device = await open(wx);
  await device.enroll(server.url, await server.createCode([scope], { role: 'office' }), 'mini-program');
  return [wx, device];
}

test('a day in a mini-program: offline, ended, begun again, live', async () => {
  const [wx, first] = await enrolled('wx-1');
  for (let i = 0; i < 150; i++) await first.edit(note('wx-1', `n${i}`), text(`水 ${i}`));
  wx.end();
  const device = await open(new FakeWx(wx.stored));
  assert.equal(device.list('note').length, 150);
  assert.equal(device.status().waiting, 150);
  device.start();
  await until(device, () => device.status().connection === 'live' && device.status().waiting === 0);
  assert.deepEqual(recordsOn(device, 'note', 'wx-1'), await recordsOnServer(server, 'note', 'wx-1'));
  device.stop();
  await device.signOut();
  assert.equal(device.status().standing, 'wiped');
});

test('killed at any call of the storage: what was told as kept is there, and nothing counts twice', { timeout: 120_000 }, async (t) => {
  const random = randomFrom(t, 'WX_SEED');
  const [{ stored }, enrolledOne] = await enrolled('wx-2');
  await enrolledOne.syncNow();
  const told = new Set<string>();
  let begun = 0;
  for (let round = 0; round < 60; round++) {
    const wx = new FakeWx(stored);
    const device = await open(wx);
    for (const id of told) assert.ok(device.view(note('wx-2', id)), `${id} is missing in round ${round}`);
    const at = wx.changes + 1 + random.below(60);
    const fate = random.chance(0.5) ? 'dies before' : 'dies behind';
    wx.fate = () => (wx.changes >= at ? fate : 'lives');
    const death = new Promise<void>((resolve) => (wx.onDeath = resolve));
    device.start();
    const edits = async () => {
      for (let i = 0; i < 20; i++) {
        const id = `n${begun++}`;
        await device.editAll([[note('wx-2', id), text(id)], [{ scope: 'wx-2', coll: 'station_day', id: 's1~2026-01-01' }, { inc: { water: 1 } }]]);
        told.add(id);
      }
    };
    await Promise.race([death, edits()]);
    device.stop();
    wx.end(); // else it may still fold its storage while the next one reads it
  }
  assert.ok(told.size > 60);
  const device = await open(new FakeWx(stored));
  await device.syncNow();
  const notes = await recordsOnServer(server, 'note', 'wx-2');
  for (const id of told) assert.ok(notes.has(id), `${id} never arrived`);
  const day = device.view({ scope: 'wx-2', coll: 'station_day', id: 's1~2026-01-01' });
  assert.equal(day?.fields.water, notes.size);
  assert.deepEqual(recordsOn(device, 'note', 'wx-2'), notes);
});

test('storage full: the edit is refused, and what was there stays', async () => {
  const [wx, device] = await enrolled('wx-3', new FakeWx(new Map(), 60_000));
  let kept = 0;
  let code = 'fulfilled';
  for (; code === 'fulfilled'; kept++) code = await codeOf(device.edit(note('wx-3', `n${kept}`), text('字'.repeat(300))));
  assert.equal(code, 'storage.full');
  const again = await open(new FakeWx(wx.stored));
  assert.equal(again.list('note').length, kept - 1);
});

// A key store of which the test sees the sizes.
function keyStore(stored: Map<string, string>): KeyStore {
  return {
    set: async (key, data) => void stored.set(key, data), get: async (key) => stored.get(key),
    remove: async (key) => void stored.delete(key), keys: async () => [...stored.keys()],
  };
}

test('five thousand records and large ones: no key over its limit, and all there after a restart', async () => {
  const stored = new Map<string, string>();
  const storage = await WxStorage.open(keyStore(stored), 'w');
  const keyOf = (i: number) => `s note n${String(i).padStart(5, '0')}`;
  for (let at = 0; at < 5000; at += 100) {
    await storage.write(async (tx) => {
      for (let i = at; i < at + 100; i++) tx.put('records', keyOf(i), { i, text: '字'.repeat(i % 50 === 0 ? 5000 : 60) });
    });
  }
  await storage.write(async (tx) => {
    tx.removeAll('records', 's note n01');
    for (let i = 0; i < 60; i++) tx.put('ops', `big${i}`, 'x'.repeat(60_000));
  });
  for (const [key, value] of stored) assert.ok(Buffer.byteLength(value) < 1024 * 1024, key);
  const again = await WxStorage.open(keyStore(stored), 'w');
  const rows = await again.read((tx) => tx.list('records'));
  assert.equal(rows.length, 4000);
  assert.deepEqual(rows.map(([key]) => key), [...rows.map(([key]) => key)].sort());
  assert.deepEqual(rows[1500], [keyOf(2500), { i: 2500, text: '字'.repeat(5000) }]);
  assert.equal((await again.read((tx) => tx.list('ops'))).length, 60);
  assert.deepEqual(await again.read((tx) => tx.list('records', 's note n0', 2, keyOf(0))), rows.slice(1, 3));
});
