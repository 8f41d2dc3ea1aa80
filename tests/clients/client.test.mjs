// The client against a server that is made up: what a real one does only after an accident.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { digestOf } from './canonical.mjs';
import { Device, NoAnswer, Refused } from './client.mjs';
import { overlaid } from './overlay.mjs';
import { MemoryStorage } from './storage.mjs';

const LIMITS = { frame_bytes: 1048576, ops: 1000, depth: 16, string_bytes: 65536, page: 1000 };

// Answers each frame with what the next function of the script makes of it; the last one stays.
async function scripted(t, ...script) {
  const frames = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const frame = JSON.parse(Buffer.concat(chunks));
    frames.push(frame);
    const answer = script.length > 1 ? script.shift() : script[0];
    const { status = 200, ...reply } = answer(frame);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, frames };
}

// A device that is enrolled already, by what its storage holds.
function device(url, options = {}) {
  const storage = new MemoryStorage();
  storage.transaction((tx) => {
    tx.put('meta', 'identity', { device: 'D', token: 'secret' });
    tx.put('meta', 'progress', { incarnation: 'one', next: 1, handed: 0, applied: 0, cursor: '', reflected: 0, reflecting: null, scopes: ['*'] });
  });
  return new Device({ url, storage, firstBackoffMs: 1, ...options });
}

function welcome({ applied = 0, incarnation = 'one', backedUp = null }) {
  return { server: { incarnation, time: 0 }, applied, backed_up: backedUp, scopes: ['*'], limits: LIMITS };
}

function changes(list = [], more = {}) {
  return { cursor: 'c', more: false, changes: list, left: [], digests: [], ...more };
}

// An honest server in few words: it takes every op, and remembers the verdicts.
function honest({ incarnation = 'one', applied = 0, backedUp = null, page = changes() } = {}) {
  return ({ push }) => {
    const before = applied;
    const results = (push?.ops ?? []).map(({ n }) => {
      if (n === applied + 1) applied = n;
      return { n, ok: true, seq: 100 + n };
    }).filter(({ n }) => n <= applied);
    const expected = results.length < (push?.ops.length ?? 0) ? { expected: applied + 1 } : {};
    const receipt = push && { applied, backed_up: backedUp, count: results.length, results, ...expected };
    return { welcome: welcome({ applied: before, incarnation, backedUp }), ...(receipt && { receipt }), changes: page };
  };
}

const note = (text, seq, id = 'n1') => ({ scope: 's', coll: 'note', id, seq, fields: { text } });
const numbers = (frame) => frame.push?.ops.map(({ n }) => n);
// A sync that has something to push says hello first and pushes with its second frame.
const twice = (answer) => [answer, answer];

test('an edit shows at once, and until its record has come', () => {
  const phone = device('http://127.0.0.1:9');
  const shown = () => phone.view('s', 'note', 'n1').fields.text;
  const live = (...list) => phone.takeChanges(changes(list), { asked: false });
  live(note('old', 50));
  phone.edit('s', 'note', 'n1', { set: { text: 'mine' } });
  assert.equal(shown(), 'mine');
  phone.takeReceipt({ applied: 1, backed_up: null, count: 1, results: [{ n: 1, ok: true, seq: 101 }] });
  assert.deepEqual(phone.waiting(), []);
  live(note('in between', 99));
  live();
  assert.equal(shown(), 'mine');
  live(note('what the server made of it', 101));
  assert.equal(shown(), 'what the server made of it');
  assert.deepEqual(phone.queue(), []);
});

test('an op without a record to come is done with after a pull that began after it was applied', async (t) => {
  const pages = [changes([], { more: true }), changes()];
  const { url, frames } = await scripted(t, honest(), honest({ page: pages[0] }), honest({ applied: 2, page: pages[1] }));
  const phone = device(url);
  phone.edit('s', 'note', 'n1', { set: { text: 'x' } });
  phone.edit('s', 'note', 'n1', { del: true });
  await phone.sync();
  assert.equal(frames.length, 3);
  assert.deepEqual(phone.queue(), []);
});

test('a pull that had begun before an op was applied says nothing about it', () => {
  const phone = device('http://127.0.0.1:9');
  phone.takeChanges(changes([], { more: true }), { asked: true });
  phone.edit('s', 'note', 'n2', { set: { text: 'x' } });
  phone.takeReceipt({ applied: 1, backed_up: null, count: 1, results: [{ n: 1, ok: true, seq: 102 }] });
  phone.takeChanges(changes(), { asked: true });
  assert.equal(phone.view('s', 'note', 'n2').fields.text, 'x');
  phone.takeChanges(changes(), { asked: true });
  assert.equal(phone.view('s', 'note', 'n2'), undefined);
});

test('an op names the seq of the record that its author saw', async (t) => {
  const { url } = await scripted(t, honest({ page: changes([note('old', 77)]) }));
  const phone = device(url);
  assert.equal(phone.edit('s', 'note', 'n1', { set: { text: 'unseen' } }).base, 0);
  await phone.sync();
  assert.equal(phone.edit('s', 'note', 'n1', { set: { text: 'seen' } }).base, 77);
});

test('busy: the same is sent again after the time that was asked for', async (t) => {
  const busy = () => ({ status: 503, welcome: welcome({}), busy: { retry_after_ms: 60 } });
  const { url, frames } = await scripted(t, honest(), busy, honest());
  const phone = device(url);
  phone.edit('s', 'note', 'n1', { set: { text: 'x' } });
  const begun = performance.now();
  await phone.sync();
  assert.ok(performance.now() - begun >= 55);
  assert.deepEqual(frames.map(numbers), [undefined, [1], [1]]);
});

test('no answer: tries again, and gives up after a while without having lost anything', async () => {
  const phone = device('http://127.0.0.1:9', { attempts: 3 });
  phone.edit('s', 'note', 'n1', { set: { text: 'x' } });
  await assert.rejects(phone.sync(), NoAnswer);
  assert.equal(phone.waiting().length, 1);
});

test('a refusal that is final stops the device; its ops stay', async (t) => {
  const { url, frames } = await scripted(t, () => ({ status: 401, type: 'about:blank', title: 'x', code: 'auth.revoked', detail: '' }));
  const phone = device(url);
  phone.edit('s', 'note', 'n1', { set: { text: 'x' } });
  await assert.rejects(phone.sync(), Refused);
  assert.equal(phone.stopped, 'auth.revoked');
  await assert.rejects(phone.sync(), Refused);
  assert.equal(frames.length, 1);
  assert.equal(phone.waiting().length, 1);
});

test('ops are kept until they are in a backup, and handed in again after a restore', async (t) => {
  const all = changes([note('a', 101, 'n1'), note('b', 102, 'n2'), note('c', 103, 'n3')]);
  const { url, frames } = await scripted(t, ...twice(honest({ backedUp: 1, page: all })), honest({ incarnation: 'two', applied: 1, backedUp: 1 }));
  const phone = device(url);
  for (const id of ['n1', 'n2', 'n3']) phone.edit('s', 'note', id, { set: { text: id } });
  await phone.sync();
  assert.deepEqual(phone.waiting(), []);
  assert.deepEqual(phone.queue().map(({ op }) => op.n), [2, 3]);
  await phone.sync();
  assert.deepEqual(numbers(frames.at(-1)), [2, 3]);
  assert.equal(phone.progress.incarnation, 'two');
});

test('after a restore that lost what the device has dropped, it says so under the old numbers', async (t) => {
  const all = changes([note('a', 101, 'n1'), note('b', 102, 'n2')]);
  const { url, frames } = await scripted(t, ...twice(honest({ page: all })), honest({ incarnation: 'two', applied: 0 }));
  const phone = device(url);
  for (const id of ['n1', 'n2']) phone.edit('s', 'note', id, { set: { text: id } });
  await phone.sync();
  assert.deepEqual(phone.queue(), []);
  phone.edit('s', 'note', 'n3', { set: { text: 'three' } });
  await phone.sync();
  assert.deepEqual(frames.map(numbers), [undefined, [1, 2], undefined, [1, 2, 3]]);
  assert.deepEqual(frames.at(-1).push.ops.map(({ lost, id }) => lost ?? id), [true, true, 'n3']);
  assert.equal(phone.edit('s', 'note', 'n4', { set: { text: 'four' } }).n, 4);
  assert.deepEqual(phone.queue().map(({ op }) => op.n), [4]);
});

test('an older copy of the storage gives its new ops numbers that are free', async (t) => {
  const server = honest();
  const { url, frames } = await scripted(t, server);
  const phone = device(url);
  phone.edit('s', 'note', 'n1', { set: { text: 'one' } });
  await phone.sync();
  const copy = phone.storage.clone();
  phone.edit('s', 'note', 'n2', { set: { text: 'two' } });
  await phone.sync();
  phone.storage.restore(copy);
  const late = phone.edit('s', 'note', 'n3', { set: { text: 'three' } });
  assert.equal(late.n, 2);
  await phone.sync();
  assert.deepEqual(frames.at(-1).push.ops.map(({ n, id }) => [n, id]), [[3, 'n3']]);
  assert.equal(phone.progress.next, 4);
});

test('reset: the records are forgotten, the waiting ops are not', async (t) => {
  const { url } = await scripted(t, honest({ page: changes([note('old', 50, 'n0')]) }),
    () => ({ welcome: welcome({}), changes: changes([note('new', 60)], { reset: true }) }), honest());
  const phone = device(url);
  await phone.sync();
  assert.equal(phone.records().length, 1);
  await phone.sync();
  assert.deepEqual(phone.records().map(({ id }) => id), ['n1']);
  assert.equal(phone.counts.resets, 1);
});

test('left: the records of the scope go, its waiting ops stay, and changes of the same message come in', async (t) => {
  const other = { ...note('other', 51), scope: 's2' };
  const back = note('back', 70);
  const { url, frames } = await scripted(t, honest({ page: changes([note('old', 50), note('old', 52, 'n2'), other]) }),
    honest(), (frame) => ({ ...honest()(frame), changes: changes([back], { left: ['s'], digests: [{ scope: 's', seq: 70, digest: digestOf([back]) }] }) }));
  const phone = device(url);
  await phone.sync();
  phone.edit('s', 'note', 'n3', { set: { text: 'mine' } });
  await phone.sync();
  assert.deepEqual(phone.records('s'), [back]);
  assert.equal(phone.records('s2').length, 1);
  assert.deepEqual(numbers(frames.at(-1)), [1]);
  assert.equal(phone.counts.digestsDiffered, 0);
});

test('a digest that differs: everything is fetched again, once', async (t) => {
  const whole = [note('a', 50, 'n1'), note('b', 51, 'n2')];
  const digests = [{ scope: 's', seq: 51, digest: digestOf(whole) }];
  const { url, frames } = await scripted(t, honest({ page: changes([whole[1]], { digests }) }), honest({ page: changes(whole, { digests }) }));
  const phone = device(url);
  phone.storage.transaction((tx) => tx.put('meta', 'progress', { ...tx.get('meta', 'progress'), cursor: 'old' }));
  await phone.sync();
  assert.deepEqual(frames.map(({ pull }) => pull.cursor), ['old', '']);
  assert.equal(phone.digest('s'), digests[0].digest);
});

test('a digest that differs again is an error, not an endless loop', async (t) => {
  const digests = [{ scope: 's', seq: 50, digest: '1'.repeat(64) }];
  const { url, frames } = await scripted(t, honest({ page: changes([note('a', 50)], { digests }) }));
  await assert.rejects(device(url).sync(), /differs even after a fresh start/);
  assert.equal(frames.length, 2);
});

test('cursor.invalid: starts again from nothing', async (t) => {
  const { url, frames } = await scripted(t, honest(),
    () => ({ status: 400, welcome: welcome({}), error: { code: 'cursor.invalid', detail: '' } }), honest({ page: changes([note('a', 50)]) }));
  const phone = device(url);
  await phone.sync();
  await phone.sync();
  assert.deepEqual(frames.map(({ pull }) => pull.cursor), ['', 'c', '']);
  assert.equal(phone.records().length, 1);
});

test('batches: no push holds more ops or bytes than the server takes', async (t) => {
  const { url, frames } = await scripted(t, honest());
  const phone = device(url, { opsPerPush: 3 });
  for (let i = 0; i < 7; i++) phone.edit('s', 'note', `n${i}`, { set: { text: 'x' } });
  await phone.sync();
  assert.deepEqual(frames.map(numbers), [undefined, [1, 2, 3], [4, 5, 6], [7]]);

  const large = device(url);
  frames.length = 0;
  for (let i = 0; i < 30; i++) large.edit('s', 'note', `n${i}`, { set: { text: '字'.repeat(20_000) } });
  large.takeWelcome(welcome({}));
  assert.ok(large.nextBatch().length < 20);
  assert.ok(Buffer.byteLength(JSON.stringify(large.nextBatch())) < LIMITS.frame_bytes);
});

test('overlay: every kind of edit', () => {
  const record = { scope: 's', coll: 'note', id: 'n', seq: 5, fields: { a: 1, b: 'x', c: 2, set: ['p', 'q'], log: [] } };
  const op = { scope: 's', coll: 'note', id: 'n', wall: 9, set: { a: null, b: 'y' }, inc: { c: -5, fresh: 2 }, remove: { set: ['p', 'zz'] },
               add: { set: ['é', 'a'], other: [1] }, append: { log: ['hello'] } };
  assert.deepEqual(overlaid(record, [op], 'D').fields,
    { b: 'y', c: -3, set: ['a', 'q', 'é'], log: [{ at: 9, by: 'D', v: 'hello' }], fresh: 2, other: [1] });
  assert.deepEqual(overlaid(record, [{ del: true }], 'D'), { scope: 's', coll: 'note', id: 'n', seq: 5, deleted: true });
  assert.deepEqual(overlaid(undefined, [{ scope: 's', coll: 'note', id: 'n', set: { b: 'new' } }], 'D').fields, { b: 'new' });
});

test('storage: a transaction that fails has not happened; a copy is a copy', () => {
  const storage = new MemoryStorage();
  storage.transaction((tx) => tx.put('meta', 'a', { x: 1 }));
  assert.throws(() => storage.transaction((tx) => { tx.put('meta', 'a', 2); tx.remove('meta', 'a'); tx.put('meta', 'b', 3); throw new Error('no'); }));
  assert.deepEqual(storage.list('meta'), [['a', { x: 1 }]]);
  const copy = storage.clone();
  storage.erase();
  assert.deepEqual(copy.get('meta', 'a'), { x: 1 });
  assert.equal(storage.get('meta', 'a'), undefined);
});
