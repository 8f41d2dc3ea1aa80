// The worked examples of schemas/vectors/: the pure ones by this client, the others through a server.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { canonical, digestOf } from './canonical.mjs';
import { RawSocket, createScopes, enrolledDevice, enrolledDevices, helloOf } from './fixtures.mjs';
import { collectionErrorsOf, errorsOf } from './schemas.mjs';
import { startServer } from './server.mjs';

function vectors(name) {
  return JSON.parse(readFileSync(new URL(`../../schemas/vectors/${name}.json`, import.meta.url), 'utf8')).cases;
}

// --- canonical.json and digest.json -------------------------------------------------------------

// JSON.parse with the one rule that it does not know: integers have 53 bits.
function parsed(text) {
  return JSON.parse(text, (key, value) => {
    if (typeof value !== 'number') return value;
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) throw new RangeError('json.number');
    return value;
  });
}

const THROWN_FOR = { 'json.invalid': SyntaxError, 'json.number': RangeError };

describe('canonical.json', () => {
  for (const { name, json, canonical: expected, error } of vectors('canonical')) {
    // JSON.parse keeps the last of two equal keys in silence: what no client can see it cannot refuse.
    if (error === 'json.duplicate_key') continue;
    test(name, () => {
      if (error === undefined) assert.equal(canonical(parsed(json)), expected);
      else assert.throws(() => canonical(parsed(json)), THROWN_FOR[error] ?? Error);
    });
  }
});

describe('digest.json', () => {
  for (const { name, records, digest } of vectors('digest')) {
    test(name, () => assert.equal(digestOf(records), digest));
  }
});

// --- handover.json --------------------------------------------------------------------------------

describe('handover.json', () => {
  for (const { name, token, device, ops, key, signed, mac } of vectors('handover')) {
    test(name, () => {
      const secret = createHash('sha256').update(token).digest();
      const derived = createHmac('sha256', secret).update('waystation handover 1').digest();
      assert.equal(derived.toString('hex'), key);
      assert.equal(canonical({ device, ops: parsed(ops) }), signed);
      assert.equal(createHmac('sha256', derived).update(signed).digest('hex'), mac);
    });
  }
});

// --- migration.json and the collections themselves -----------------------------------------------

function json(path) {
  return JSON.parse(readFileSync(new URL(`../../schemas/${path}`, import.meta.url), 'utf8'));
}

describe('collections against schemas/collection.schema.json', () => {
  for (const file of readdirSync(new URL('../../schemas/collections/', import.meta.url))) {
    test(file, () => assert.equal(collectionErrorsOf(json(`collections/${file}`)), null));
  }
});

describe('migration.json', () => {
  const { schemas, cases } = json('vectors/migration.json');
  for (const [name, files] of Object.entries(schemas)) {
    test(`the versions of ${name}`, () => {
      for (const file of files) assert.equal(collectionErrorsOf(file), null);
    });
  }

  // Which schemas, which op, and what comes of it: one of the two.
  for (const { name, schemas: set, op, carried, refused } of cases) {
    test(name, () => {
      assert.ok(set in schemas);
      assert.ok(op.coll && op.id);
      assert.equal(carried === undefined, refused !== undefined);
      if (carried) assert.ok(schemas[set].some(({ collection }) => collection === carried.coll));
    });
  }
});

// --- wire.json ----------------------------------------------------------------------------------

const WIRE = vectors('wire');
// The example device and the example scope in the frames of the file.
const EXAMPLE_HELLO = /"device":"7K3M9QX2PA"|"token":"secret"/g;
const EXAMPLE_SCOPE = /"scope":"t"/g;

describe('wire.json', () => {
  let server, bystander;
  const scopeOf = (index) => `t-${index}`;

  before(async () => {
    server = await startServer();
    await createScopes(server, ...WIRE.map((_, index) => scopeOf(index)));
    bystander = await enrolledDevice(server, [scopeOf(0)]);
  });
  after(() => server.remove());

  // Every case has a device and a scope of its own, for "no record exists" and "applied 0"; apart from
  // their names the frame goes out as it stands. Another device can still say hello afterwards.
  WIRE.forEach(({ name, frame, error, ops }, index) => test(name, async () => {
    const scope = scopeOf(index);
    const device = await enrolledDevice(server, [scope]);
    const text = frame.replace(EXAMPLE_SCOPE, `"scope":"${scope}"`)
      .replace(EXAMPLE_HELLO, (part) => (part.startsWith('"device"') ? `"device":"${device.id}"` : `"token":"${device.token}"`));
    if (error !== undefined) await assertError(device, text, error);
    else await assertVerdicts(device, scope, text, ops);
    await (await RawSocket.greeted(server, bystander)).close();
  }));

  async function assertError(device, text, code) {
    const isHello = text.includes('"hello"');
    const raw = isHello ? await RawSocket.open(server) : await RawSocket.greeted(server, device);
    assert.equal((await raw.askAsIs(text)).error?.code, code);
    if (code === 'version.unsupported') return raw.closed();
    const next = isHello ? { hello: helloOf(device) } : { pull: { cursor: '' } };
    assert.equal((await raw.ask(next)).error, undefined, 'the connection goes on');
    return raw.close();
  }

  async function assertVerdicts(device, scope, text, expected) {
    const isHello = text.includes('"hello"');
    const raw = isHello ? await RawSocket.open(server) : await RawSocket.greeted(server, device);
    raw.sendAsIs(text);
    const receipt = await nextReceipt(raw);
    assert.deepEqual(receipt.results.map(inShort), expected);
    assert.equal(receipt.count, expected.length);
    assert.equal(receipt.applied, expected.at(-1).n);
    if (text.includes('"pull"')) assert.ok((await raw.next()).changes);
    await raw.close();
    await assertDigest(device, scope);
  }

  async function nextReceipt(raw) {
    for (;;) {
      const frame = await raw.next();
      assert.equal(frame.error, undefined, JSON.stringify(frame));
      if (frame.receipt) return frame.receipt;
    }
  }

  const inShort = ({ n, ok, refused }) => (ok ? { n, ok } : { n, refused: refused.code });

  // What came of it is the same for the server and for a client that computes it.
  async function assertDigest(device, scope) {
    const raw = await RawSocket.greeted(server, device);
    const { changes, digests } = await raw.pullAll();
    assert.deepEqual(digests.map((one) => [one.scope, one.digest]), [[scope, digestOf(changes)]]);
    await raw.close();
  }
});

// What the schemas allow is not refused by the server as a frame, and the other way round, as far as a
// schema can say it.
describe('wire.json against schemas/messages/client-frame.json', () => {
  for (const { name, frame, error, ops } of WIRE) {
    if (error === 'json.invalid') continue;
    test(name, () => {
      const errors = errorsOf('client-frame', JSON.parse(frame));
      if (error !== undefined && !(error === 'message.invalid' && name.includes('128 bytes'))) assert.ok(errors);
      if (ops?.every(({ ok }) => ok)) assert.equal(errors, null);
    });
  }
});

// --- merge.json ---------------------------------------------------------------------------------

const MERGE = vectors('merge');
const EPOCH_MS = Date.UTC(2024, 0, 1);
// Between two authored times, and between the last of them and the push that needs it.
const STEP_MS = 2;

describe('merge.json', () => {
  let server, devices;
  const scopeOf = (index) => `merge-${index}`;

  before(async () => {
    server = await startServer();
    await createScopes(server, ...MERGE.map((_, index) => scopeOf(index)));
    // The file wants ids in the order A < B < C; the server gives ids as it likes.
    const inOrder = (await enrolledDevices(server, 3)).sort((a, b) => (a.id < b.id ? -1 : 1));
    devices = Object.fromEntries(await Promise.all(inOrder.map(async (device, i) => ['ABC'[i], await Author.greeted(server, device)])));
  });
  after(async () => {
    for (const author of Object.values(devices ?? {})) await author.close();
    await server.remove();
  });

  MERGE.forEach((vector, index) => test(vector.name, async () => {
    const play = new Play(devices, scopeOf(index), vector);
    await play.run();
    const [record] = await server.all(`/v1/records?scope=${scopeOf(index)}&coll=${vector.coll}&id=${vector.id}`, 'records');
    const conflicts = await server.all(`/v1/conflicts?scope=${scopeOf(index)}`, 'conflicts');
    const expected = play.translated(vector.expect);
    if (expected.deleted) assert.ok(record === undefined || record.deleted, JSON.stringify(record));
    else assert.deepEqual(record.fields, expected.fields);
    assert.deepEqual(conflicts.map(inShort).sort(byText), expected.conflicts.sort(byText));
    assert.equal(record?.conflicts ?? 0, expected.conflicts.length);
  }));

  const inShort = ({ field, kind, value, by }) => ({ field, kind, value, by });
  const byText = (a, b) => (canonical(a) < canonical(b) ? -1 : 1);
});

// A device that can say of each op when it was written, to the millisecond of the server's clock: its
// own clock never moves, and the welcome tells what the server's showed at the same moment.
class Author {
  static CLOCK = { wall: Date.now(), mono: 10 ** 9, boot: 'author' };

  static async greeted(server, device) {
    const author = new Author();
    author.id = device.id;
    author.n = 0;
    author.raw = await RawSocket.open(server);
    const { welcome } = await author.raw.ask({ hello: helloOf(device, Author.CLOCK) });
    author.serverTime = welcome.server.time;
    return author;
  }

  // Hands in one op that was written at `writtenMs` of the server's clock.
  async push(op, writtenMs) {
    this.n += 1;
    const mono = Author.CLOCK.mono + (writtenMs - this.serverTime);
    const { receipt } = await this.raw.ask({ push: { ops: [{ ...op, n: this.n, ...Author.CLOCK, mono }] } });
    const [verdict] = receipt.results;
    assert.ok(verdict.ok, JSON.stringify(verdict));
    return verdict.seq;
  }

  close() {
    return this.raw.close();
  }
}

// Plays the steps of one vector in real time. The stamps of the file only say in which order things
// were written; here each gets a real moment: after the arrival of the latest step that it, or anything
// written before it, had as its base (a stamp is never below base + 1), and before the arrival of the
// first step that was written at that moment or later (nor in the server's future).
class Play {
  #moments = new Map();
  #seqs = new Map();

  constructor(devices, scope, { coll, id, steps }) {
    Object.assign(this, { devices, record: { scope, coll, id }, steps });
  }

  async run() {
    await this.#fixMoments(-1, Date.now());
    for (const [index, step] of this.steps.entries()) {
      const base = step.op.base === 0 ? 0 : this.#seqs.get(step.op.base);
      const seq = await this.devices[step.device].push({ ...this.record, ...step.op, base }, this.#moments.get(step.stamp));
      this.#seqs.set(step.name, seq);
      await this.#fixMoments(index, Math.floor(seq / 4096) + EPOCH_MS);
    }
  }

  // Gives a moment after `afterMs` to all stamps that had to wait for the arrival of step `index`, and
  // waits until these moments have passed.
  async #fixMoments(index, afterMs) {
    const stamps = [...new Set(this.steps.map(({ stamp }) => stamp))].sort((a, b) => a - b);
    const due = stamps.filter((stamp) => this.#waitsFor(stamp) === index);
    due.forEach((stamp, i) => this.#moments.set(stamp, afterMs + (i + 1) * STEP_MS));
    const end = afterMs + (due.length + 1) * STEP_MS;
    if (due.length > 0 && end >= Date.now()) await pause(end - Date.now() + 1);
  }

  // The latest step that was the base of anything written at this stamp or before; -1 for none.
  #waitsFor(stamp) {
    const bases = this.steps.filter((step) => step.stamp <= stamp).map(({ op }) => op.base);
    return Math.max(...bases.map((base) => (base === 0 ? -1 : this.steps.findIndex(({ name }) => name === base))));
  }

  // The expectation with real device ids and moments in place of those of the file.
  translated({ fields, deleted, conflicts }) {
    const byId = (entry) => ({ ...entry, by: this.devices[entry.by].id });
    const isEntry = (value) => value !== null && typeof value === 'object' && 'at' in value && 'by' in value;
    const ofField = (value) => (Array.isArray(value) ? value.map((one) => (isEntry(one) ? { ...byId(one), at: this.#moments.get(one.at) } : one)) : value);
    return {
      deleted,
      fields: fields && Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, ofField(value)])),
      conflicts: conflicts.map(byId),
    };
  }
}
