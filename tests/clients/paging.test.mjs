import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { digestOf } from './canonical.mjs';
import { RawSocket, createScopes, enrolledDevice, syncFrame } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPES = ['page-a', 'page-b'];
const NOTES = 60;

let server, office;
before(async () => {
  server = await startServer();
  office = await createScopes(server, ...SCOPES);
  for (let i = 0; i < NOTES; i++) office.edit(SCOPES[i % 2], 'note', `n${i}`, { set: { text: `note ${i}` } });
  await office.sync();
});
after(() => server.remove());

async function page(device, cursor, limit) {
  return (await syncFrame(server, device, { pull: { cursor, ...(limit && { limit }) } })).body;
}

async function allPages(device, limit) {
  const pages = [];
  for (let cursor = ''; ;) {
    const { changes } = await page(device, cursor, limit);
    pages.push(changes);
    cursor = changes.cursor;
    if (!changes.more) return pages;
  }
}

for (const limit of [1, 7, 1000]) {
  test(`pages of ${limit}: everything once, in the order of seq, and the digest of every scope`, async () => {
    const device = await enrolledDevice(server, SCOPES);
    const pages = await allPages(device, limit);
    assert.ok(pages.every(({ changes }) => changes.length <= limit));
    const changes = pages.flatMap((one) => one.changes);
    assert.equal(changes.filter(({ coll }) => coll === 'note').length, NOTES);
    assert.equal(new Set(changes.map(({ scope, coll, id }) => `${scope} ${coll} ${id}`)).size, changes.length);
    const digests = pages.flatMap((one) => one.digests ?? []);
    assert.deepEqual(digests.map(({ scope }) => scope).sort(), SCOPES);
    for (const { scope, digest } of digests) assert.equal(digest, digestOf(changes.filter((change) => change.scope === scope)));
  });
}

test('a record that changes between two pages comes with its last state, and nothing is missed', async () => {
  const device = await enrolledDevice(server, SCOPES);
  const held = new Map();
  let cursor = '';
  for (let round = 0; ; round++) {
    const { changes } = await page(device, cursor, 5);
    for (const change of changes.changes) held.set(`${change.scope} ${change.coll} ${change.id}`, change);
    cursor = changes.cursor;
    if (!changes.more) break;
    if (round < 10) {
      office.edit(SCOPES[0], 'note', 'n0', { set: { text: `changed ${round}` } });
      office.edit(SCOPES[1], 'note', `n${59 - 2 * round}`, { del: true });
      await office.sync();
    }
  }
  for (const scope of SCOPES) {
    const mine = [...held.values()].filter((record) => record.scope === scope);
    assert.equal(digestOf(mine), digestOf(await server.all(`/v1/records?scope=${scope}`, 'records')));
  }
});

test('a page ends before it is larger than a frame may be', async () => {
  const [scope] = ['page-large'];
  const writer = await createScopes(server, scope);
  for (let i = 0; i < 40; i++) writer.edit(scope, 'note', `n${i}`, { set: { big: '字'.repeat(15_000) } });
  await writer.sync();
  const device = await enrolledDevice(server, [scope]);
  const pages = await allPages(device, 1000);
  assert.ok(pages.length >= 3);
  assert.ok(pages.every((one) => JSON.stringify(one).length <= 1048576));
  await device.sync();
  assert.equal(device.records(scope).length, 41);
});

test('a cursor that is damaged or made up is refused; from nothing it goes on', async () => {
  const device = await enrolledDevice(server, SCOPES);
  const good = (await page(device, '')).changes.cursor;
  for (const cursor of ['x', 'no cursor at all', `${good}A`, good.slice(0, -3), '水', '\u0000', 'A'.repeat(500)]) {
    const body = await page(device, cursor);
    assert.equal(body.error?.code, 'cursor.invalid', JSON.stringify(cursor));
  }
  const raw = await RawSocket.greeted(server, device);
  assert.equal((await raw.ask({ pull: { cursor: 'damaged' } })).error.code, 'cursor.invalid');
  assert.ok((await raw.pullAll('')).changes.length > 0);
  await raw.close();
});

test('a cursor with one wrong character is never taken for a good one', async () => {
  const device = await enrolledDevice(server, SCOPES);
  const { cursor } = (await page(device, '')).changes;
  const taken = [];
  for (let at = 0; at < cursor.length; at++) {
    const wrong = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
    const body = await page(device, wrong);
    // It may look like one of another incarnation; that is as safe as an error.
    if (body.error?.code !== 'cursor.invalid' && body.changes?.reset !== true) taken.push(wrong);
  }
  assert.deepEqual(taken, []);
});

test('a device whose cursor is damaged helps itself', async () => {
  const device = await enrolledDevice(server, SCOPES);
  await device.sync();
  device.storage.transaction((tx) => tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), cursor: 'damaged' }));
  device.edit(SCOPES[0], 'note', 'mine', { set: { text: 'x' } });
  await device.sync();
  assert.equal(device.view(SCOPES[0], 'note', 'mine').fields.text, 'x');
  device.storage.transaction((tx) => tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), cursor: 'damaged' }));
  device.connect();
  await device.settled();
  for (const scope of SCOPES) assert.equal(device.digest(scope), digestOf(await server.all(`/v1/records?scope=${scope}`, 'records')));
  await device.disconnect();
});

test('a cursor of another device with the same scopes is no way to see other scopes', async () => {
  const wide = await enrolledDevice(server, SCOPES);
  const narrow = await enrolledDevice(server, [SCOPES[0]]);
  const { cursor } = (await page(wide, '')).changes;
  const body = await page(narrow, cursor);
  assert.ok(body.error?.code === 'cursor.invalid' || body.changes.changes.every(({ scope }) => scope === SCOPES[0]));
});

test('a cursor of another server: reset, and everything from the beginning', async (t) => {
  const other = await startServer();
  t.after(() => other.remove());
  await createScopes(other, SCOPES[0]);
  const stranger = await enrolledDevice(other, [SCOPES[0]]);
  await stranger.sync();
  const device = await enrolledDevice(server, SCOPES);
  const body = await page(device, stranger.progress.cursor);
  assert.equal(body.changes?.reset, true, JSON.stringify(body).slice(0, 300));
  assert.ok(body.changes.changes.length > NOTES / 2);
});

test('a cursor stays good over a kill of the server', async () => {
  const device = await enrolledDevice(server, SCOPES);
  const { cursor } = (await page(device, '')).changes;
  await server.killAndRestart();
  const { changes } = await page(device, cursor);
  assert.deepEqual(changes.changes, []);
  assert.equal(changes.reset, undefined);
});

test('limits that are no limits', async () => {
  const device = await enrolledDevice(server, SCOPES);
  const tooMuch = await server.call('POST', '/v1/sync', { body: { hello: device.hello(), pull: { cursor: '', limit: 1_000_000 } }, unchecked: true });
  assert.ok(tooMuch.body.error?.code === 'message.invalid' || tooMuch.body.changes.changes.length <= 1000);
});
