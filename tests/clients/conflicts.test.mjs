import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes, enrolledDevice, enrolledDevices, timePasses } from './fixtures.mjs';
import { startServer } from './server.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server.remove());

let made = 0;

// Two devices that both hold the note `n1` with the text A.
async function twoPhonesWithNote() {
  const scope = `c-${++made}`;
  await createScopes(server, scope);
  const phones = await enrolledDevices(server, 2, [scope]);
  phones[0].edit(scope, 'note', 'n1', { set: { text: 'A' } });
  for (const phone of phones) await phone.sync();
  return [scope, ...phones];
}

const conflictsIn = (scope, as) => server.all(`/v1/conflicts?scope=${scope}`, 'conflicts', as);

test('a value that lost is kept, counted and listed with its winner', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  q.edit(scope, 'note', 'n1', { set: { text: 'C' } });
  timePasses();
  p.edit(scope, 'note', 'n1', { set: { text: 'B' } });
  await p.sync();
  await q.sync();
  await p.sync();

  for (const phone of [p, q]) assert.equal(phone.view(scope, 'note', 'n1').fields.text, 'B');
  for (const phone of [p, q]) assert.equal(phone.record(scope, 'note', 'n1').conflicts, 1);
  const [conflict, ...others] = await conflictsIn(scope);
  assert.deepEqual(others, []);
  const { stamp, ...rest } = conflict;
  assert.deepEqual(rest, { scope, coll: 'note', id: 'n1', field: 'text', kind: 'concurrent', value: 'C', by: q.id, n: 1,
                           winner: { value: 'B', by: p.id } });
  assert.ok(stamp < p.record(scope, 'note', 'n1').seq);
});

test('the device whose value lost on arrival learns it from its verdict', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  const lost = q.edit(scope, 'note', 'n1', { set: { text: 'C', author: 'q' } });
  timePasses();
  p.edit(scope, 'note', 'n1', { set: { text: 'B' } });
  await p.sync();
  const { body } = await server.call('POST', '/v1/sync', { body: { hello: q.hello(), push: { ops: q.nextBatch() } } });
  const [verdict] = body.receipt.results;
  assert.equal(verdict.n, lost.n);
  assert.equal(verdict.ok, true);
  assert.deepEqual(verdict.lost, ['text']);
});

test('a device sees the conflicts of its scopes and no others', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  for (const phone of [p, q]) phone.edit(scope, 'note', 'n1', { set: { text: phone.id } });
  for (const phone of [p, q]) await phone.sync();
  await createScopes(server, 'c-other');
  const other = await enrolledDevice(server, ['c-other']);
  assert.equal((await conflictsIn(scope, `${p.id}.${p.token}`)).length, 1);
  const refused = await server.call('GET', `/v1/conflicts?scope=${scope}`, { as: `${other.id}.${other.token}` });
  assert.ok(refused.status === 403 || refused.body.conflicts?.length === 0, JSON.stringify(refused));
});

test('writing the field again after having seen both settles it for the author', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  q.edit(scope, 'note', 'n1', { set: { text: 'C' } });
  timePasses();
  p.edit(scope, 'note', 'n1', { set: { text: 'B' } });
  for (const phone of [p, q]) await phone.sync();
  q.edit(scope, 'note', 'n1', { set: { text: 'B and C' } });
  for (const phone of [q, p]) await phone.sync();
  assert.deepEqual(await conflictsIn(scope), []);
  assert.equal(p.view(scope, 'note', 'n1').fields.text, 'B and C');
  assert.equal(p.record(scope, 'note', 'n1').conflicts, undefined);
});

test('the same value from two devices is no conflict', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  for (const phone of [p, q]) phone.edit(scope, 'note', 'n1', { set: { text: 'same' } });
  for (const phone of [p, q, p]) await phone.sync();
  assert.deepEqual(await conflictsIn(scope), []);
  assert.equal(p.record(scope, 'note', 'n1').conflicts, undefined);
});

test('an edit of what another has deleted is kept as a conflict, and comes back when written again', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  p.edit(scope, 'note', 'n1', { del: true });
  q.edit(scope, 'note', 'n1', { set: { text: 'still needed' } });
  for (const phone of [p, q, p]) await phone.sync();
  for (const phone of [p, q]) assert.equal(phone.view(scope, 'note', 'n1'), undefined);
  const [conflict] = await conflictsIn(scope);
  assert.equal(conflict.kind, 'deleted');
  assert.equal(conflict.value, 'still needed');

  q.edit(scope, 'note', 'n1', { set: { text: 'still needed' } });
  for (const phone of [q, p]) await phone.sync();
  assert.deepEqual(p.view(scope, 'note', 'n1').fields, { text: 'still needed' });
  assert.deepEqual(await conflictsIn(scope), []);
});

// Only who has seen the delete brings a record back; a device that begins after it is told of it too.
test('a device that begins after a deletion can sign the same person in again', async () => {
  const scope = `c-${++made}`;
  await createScopes(server, scope);
  const old = await enrolledDevice(server, [scope]);
  const signIn = { set: { event: 'e1', volunteer: 'v7', signed_out: '2026-01-01T08:30:00+08:00' } };
  old.edit(scope, 'attendance', 'e1~v7', signIn);
  old.edit(scope, 'attendance', 'e1~v7', { del: true });
  await old.sync();
  const fresh = await enrolledDevice(server, [scope]);
  await fresh.sync();
  fresh.edit(scope, 'attendance', 'e1~v7', signIn);
  await fresh.sync();
  assert.deepEqual(fresh.view(scope, 'attendance', 'e1~v7')?.fields, signIn.set);
});

test('clearing competes like any value', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  p.edit(scope, 'note', 'n1', { set: { text: 'B' } });
  timePasses();
  q.edit(scope, 'note', 'n1', { set: { text: null, author: 'q' } });
  for (const phone of [p, q, p]) await phone.sync();
  assert.deepEqual(p.view(scope, 'note', 'n1').fields, { author: 'q' });
  assert.equal((await conflictsIn(scope))[0].value, 'B');
  assert.equal((await conflictsIn(scope))[0].winner.value, null);
});

test('add wins over a concurrent remove; a remove takes what it saw', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  p.edit(scope, 'note', 'n1', { add: { tags: ['kept', 'gone'] } });
  for (const phone of [p, q]) await phone.sync();
  p.edit(scope, 'note', 'n1', { remove: { tags: ['kept', 'gone'] } });
  q.edit(scope, 'note', 'n1', { add: { tags: ['kept'] } });
  for (const phone of [q, p, q]) await phone.sync();
  for (const phone of [p, q]) assert.deepEqual(phone.view(scope, 'note', 'n1').fields.tags, ['kept']);
});

test('the list of conflicts comes in pages', async () => {
  const [scope, p, q] = await twoPhonesWithNote();
  for (const phone of [p, q]) {
    for (let i = 0; i < 7; i++) phone.edit(scope, 'note', `m${i}`, { set: { text: phone.id } });
    await phone.sync();
  }
  const first = await server.admin('GET', `/v1/conflicts?scope=${scope}&limit=3`);
  assert.equal(first.conflicts.length, 3);
  const all = await server.all(`/v1/conflicts?scope=${scope}&limit=3`, 'conflicts');
  assert.deepEqual(all.map(({ id }) => id).sort(), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6']);
});
