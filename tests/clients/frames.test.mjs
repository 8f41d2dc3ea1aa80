// Frames that are wrong, and frames that are unusual but right.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawSocket, createScopes, enrolledDevice, helloOf, opNow, syncFrame } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'frames';

let server, phone;
before(async () => {
  server = await startServer();
  await createScopes(server, SCOPE);
  phone = await enrolledDevice(server, [SCOPE]);
});
after(() => server.remove());

const note = (n, text) => opNow(n, SCOPE, 'note', 'n1', { set: { text } });
const post = (body) => server.call('POST', '/v1/sync', { body, unchecked: true });

test('bad frames are answered with an error and the connection goes on', async () => {
  const raw = await RawSocket.greeted(server, phone);
  const bad = [['', 'json.invalid'], ['{', 'json.invalid'], ['[]', 'json.invalid'], ['{"push":{"ops":[]}} {}', 'json.invalid'],
               ['{}', 'message.unknown'], ['{"greet":1}', 'message.unknown'], ['{"push":5}', 'message.invalid'],
               ['{"push":{"ops":[{"n":"x"}]}}', 'message.invalid'], ['{"pull":{"cursor":1}}', 'message.invalid']];
  for (const [text, code] of bad) {
    assert.equal((await raw.askAsIs(text)).error?.code, code, text);
    assert.ok((await raw.ask({ push: { ops: [] } })).receipt, `goes on after ${text}`);
  }
  await raw.close();
});

test('a binary frame does not bring the server or the connection into disorder', async () => {
  const raw = await RawSocket.greeted(server, phone);
  raw.sendAsIs(Buffer.from('{"pull":{"cursor":""}}'));
  const answer = await Promise.race([raw.next().catch(() => null), raw.closed().then(() => null)]);
  if (answer) assert.ok(answer.error || answer.changes, JSON.stringify(answer));
  assert.ok((await (await RawSocket.greeted(server, phone)).ask({ pull: { cursor: '' } })).changes);
});

test('messages of one frame are handled in the order hello, push, pull, whatever their order in it', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const raw = await RawSocket.open(server);
  raw.send({ pull: { cursor: '' }, push: { ops: [opNow(1, SCOPE, 'note', 'ordered', { set: { text: 'x' } })] }, hello: helloOf(device) });
  const answers = [await raw.next(), await raw.next(), await raw.next()];
  assert.deepEqual(answers.map((frame) => Object.keys(frame)[0]), ['welcome', 'receipt', 'changes']);
  assert.ok(answers[2].changes.changes.some(({ id }) => id === 'ordered'));
  await raw.close();
});

test('questions on one connection are answered in their order', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const raw = await RawSocket.greeted(server, device);
  raw.send({ pull: { cursor: '' } });
  await raw.next();
  for (let n = 1; n <= 30; n++) raw.send({ push: { ops: [opNow(n, SCOPE, 'note', 'inorder', { set: { text: `${n}` } })] } });
  const receipts = [];
  while (receipts.length < 30) {
    const frame = await raw.next();
    if (frame.receipt) receipts.push(frame.receipt);
  }
  assert.deepEqual(receipts.map(({ results }) => results[0].n), Array.from({ length: 30 }, (_, i) => i + 1));
  await raw.close();
});

test('unknown keys beside known messages and inside them are ignored', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const frame = { later: { x: 1 }, hello: { ...helloOf(device), mood: 'good' },
                  push: { ops: [{ ...opNow(1, SCOPE, 'note', 'extra', { set: { text: 'x' } }), colour: 'red' }], hurry: true },
                  pull: { cursor: '', depth: 3 } };
  const { body } = await post(frame);
  assert.equal(body.receipt.results[0].ok, true);
  assert.equal(body.changes.more, false);
});

test('nothing is taken before hello', async () => {
  for (const frame of [{ push: { ops: [note(1, 'x')] } }, { pull: { cursor: '' } }]) {
    const raw = await RawSocket.open(server);
    assert.equal((await raw.ask(frame)).error.code, 'auth.required');
    assert.equal((await raw.closed()).code, 4401);
    const { status, body } = await post(frame);
    assert.deepEqual([status, body.code], [401, 'auth.required']);
  }
});

test('a connection that says nothing is closed after ten seconds', async () => {
  const raw = await RawSocket.open(server);
  const opened = performance.now();
  await raw.closed(15_000);
  assert.ok(performance.now() - opened > 9_000);
});

test('another version of the protocol is refused and the connection closed', async () => {
  const raw = await RawSocket.open(server);
  raw.sendAsIs(JSON.stringify({ hello: { ...helloOf(phone), v: 2 } }));
  assert.equal((await raw.next()).error.code, 'version.unsupported');
  assert.equal((await raw.closed()).code, 4400);
});

test('a wrong secret on the WebSocket: an auth error, then the close', async () => {
  const raw = await RawSocket.open(server);
  assert.equal((await raw.ask({ hello: { ...helloOf(phone), token: 'wrong' } })).error.code, 'auth.bad_token');
  assert.equal((await raw.closed()).code, 4401);
});

test('a frame that is too large: refused, and what was large is not taken', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const raw = await RawSocket.greeted(server, device);
  const ops = Array.from({ length: 30 }, (_, i) => opNow(i + 1, SCOPE, 'note', `large${i}`, { set: { about: 'x', big: 'x'.repeat(40_000) } }));
  raw.sendAsIs(JSON.stringify({ push: { ops } }));
  // The error may be overtaken by the close: the server does not read to the end of such a frame.
  const error = await raw.next().then((frame) => frame.error, () => undefined);
  if (error) assert.equal(error.code, 'frame.too_large');
  assert.ok([1009, 1006].includes((await raw.closed()).code));
  const reply = await post({ hello: helloOf(device), push: { ops } });
  assert.equal(reply.status, 413);
  assert.equal(reply.body.code, 'body.too_large');
  assert.equal((await syncFrame(server, device, {})).body.welcome.applied, 0);
});

test('a frame of almost the largest size is taken', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const ops = Array.from({ length: 25 }, (_, i) => opNow(i + 1, SCOPE, 'note', `big${i}`, { set: { big: 'x'.repeat(40_000) } }));
  const raw = await RawSocket.greeted(server, device);
  assert.equal((await raw.ask({ push: { ops } })).receipt.applied, 25);
  await raw.close();
});

test('more ops than a push may hold are not taken', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const op = (n) => opNow(n, SCOPE, 'station_day', 's~2026-01-01', { inc: { water: 1 } });
  const thousand = Array.from({ length: 1000 }, (_, i) => op(i + 1));
  const raw = await RawSocket.greeted(server, device);
  raw.sendAsIs(JSON.stringify({ push: { ops: [...thousand, op(1001)] } }));
  assert.equal((await raw.next()).error.code, 'push.too_many_ops');
  assert.equal((await raw.ask({ push: { ops: thousand } })).receipt.applied, 1000);
  await raw.close();
});

test('an empty push has an empty receipt', async () => {
  const { body } = await syncFrame(server, phone, { push: { ops: [] } });
  assert.deepEqual([body.receipt.count, body.receipt.results], [0, []]);
});

test('over HTTP: what was handled stands beside the error of what was not', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const { status, body } = await post({ hello: helloOf(device), push: { ops: [opNow(1, SCOPE, 'note', 'kept', { set: { text: 'x' } })] }, pull: { cursor: 'damaged' } });
  assert.equal(body.receipt.applied, 1);
  assert.equal(body.error.code, 'cursor.invalid');
  assert.ok(status >= 400 && status < 500);
});

test('over HTTP: bodies that are no frame get a problem document', async () => {
  for (const [text, code] of [['', 'json.invalid'], ['{', 'json.invalid'], ['{}', 'message.unknown'], ['{"hello":{}}', 'message.invalid']]) {
    const { status, body } = await post(text);
    assert.equal(status, 400, text);
    assert.equal(body.code, code, text);
  }
});

test('bytes that are not UTF-8 are refused', async () => {
  const body = Buffer.concat([Buffer.from('{"hello":{"v":1,"device":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}')]);
  const response = await fetch(new URL('/v1/sync', server.url), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.deepEqual([response.status, (await response.json()).code], [400, 'json.utf8']);
});

test('a clock that is nonsense is corrected, never refused', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  for (const clock of [{ wall: 0, mono: 0, boot: '' }, { wall: -1, mono: 9007199254740991, boot: 'x' }, { wall: 9007199254740991, mono: 1, boot: '水' }]) {
    const { body } = await server.call('POST', '/v1/sync', { body: { hello: { ...helloOf(device), clock } } });
    assert.ok(body.welcome, JSON.stringify(body));
  }
});
