// Scopes in a tree: what lies below a grant, and what happens on devices when a scope is moved.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { enrolledDevice, idOfScope, timePasses } from './fixtures.mjs';
import { startServer } from './server.mjs';

let server;
let office;
before(async () => {
  server = await startServer();
  office = await enrolledDevice(server);
  hang('city', null);
  for (const town of ['north', 'south']) hang(town, 'city');
  hang('village', 'north');
  await office.sync();
});
after(() => server.remove());

const hang = (scope, parent) => office.edit(scope, 'scope', idOfScope(scope), { set: { parent } });
const note = (device, scope, id) => device.edit(scope, 'note', id, { set: { text: id } });
const seen = (device, scope) => device.records(scope).filter(({ coll }) => coll === 'note').map(({ id }) => id);

test('a grant covers what lies below, also what is made later', async () => {
  const device = await enrolledDevice(server, ['city']);
  assert.deepEqual(device.scopes, ['city', 'north', 'south', 'village']);
  device.connect();
  await device.settled();
  hang('event:1', 'village');
  note(office, 'event:1', 'first');
  await office.sync();
  await device.until(() => device.view('event:1', 'note', 'first') !== undefined, 'the new event has arrived');
  const row = await server.deviceRow(device.id);
  assert.deepEqual([row.branches, row.scopes.includes('event:1')], [['city'], true]);
  await device.disconnect();
});

test('a scope that is moved while devices are offline leaves one and arrives on the other, old records too', async () => {
  const [northerner, southerner] = [await enrolledDevice(server, ['north']), await enrolledDevice(server, ['south'])];
  hang('moving', 'north');
  await office.sync();
  await northerner.sync();
  note(northerner, 'moving', 'old');
  await northerner.sync();
  await southerner.sync();
  await pause(2_500); // what it writes is to lie after it got the scope
  note(northerner, 'moving', 'written-before');
  timePasses(2_000);
  hang('moving', 'south');
  await office.sync();

  await northerner.sync();
  await southerner.sync();
  assert.deepEqual(seen(northerner, 'moving'), []);
  assert.deepEqual(northerner.refusals(), []);
  assert.deepEqual(seen(southerner, 'moving').sort(), ['old', 'written-before']);

  note(northerner, 'moving', 'written-after');
  await northerner.sync();
  assert.deepEqual(northerner.refusals().map(({ refused }) => refused.code), ['scope.forbidden']);
});
