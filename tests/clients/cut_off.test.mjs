// A file of a report that breaks off never looks whole, whoever broke it off, and nothing of it stays on the server.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { csvRows } from './csv_file.mjs';
import { enrolledDevice } from './fixtures.mjs';
import { LibreOffice } from './libreoffice.mjs';
import { startServer } from './server.mjs';
import { sheetsOf } from './sheets.mjs';

// Every day every event has one attendance. What the rows say is random, and comes again only where no packing finds it:
// so the packed file too is larger than what lies in the buffers of a connection (2.6 MB on Linux, by 10 segments of 64 KB).
const DAYS = 30;
const EVENTS = 120;
const ROWS = DAYS * EVENTS;
const KINDS = ['csv', 'xlsx'];
const QUERY = 'by=day,event,person,district,town,division';
const BUFFERED = 3_000_000;

let server;
before(async () => {
  server = await startServer();
  const device = await enrolledDevice(server);
  for (let e = 0; e < EVENTS; ++e) fillEvent(device, e);
  await device.sync();
  assert.deepEqual(device.refusals(), []);
});
after(() => server.remove());

/** An event, the places that it lies in, and who came. */
function fillEvent(device, e) {
  const scope = `event:e${e}`;
  const division = String(100_000 + e).repeat(2);
  device.edit(scope, 'scope', scope, { set: { title: letters(100), code: division } });
  for (const length of [6, 9]) device.edit(`at-${e}-${length}`, 'scope', `at-${e}-${length}`, { set: { title: letters(100), code: division.slice(0, length) } });
  device.edit(scope, 'event', `e${e}`, { set: { title: letters(100), division } });
  for (let day = 0; day < DAYS; ++day) {
    const signed_in = new Date(Date.UTC(2025, 0, 1 + day, 4)).toISOString();
    device.edit(scope, 'attendance', `e${e}~p${day}`, { set: { event: `e${e}`, volunteer: `p${day}`, signed_in, minutes: 1 + e, role: letters(50) } });
  }
}

/** Of 40,000 ideographs beyond the first plane, four bytes each. */
function letters(count) {
  const bytes = randomBytes(2 * count);
  return Array.from({ length: count }, (_, i) => String.fromCodePoint(0x20000 + (bytes.readUInt16LE(2 * i) % 40_000))).join('');
}

const exported = () => readdir(join(server.data, 'exports'));

/** A download, up to its headers: nothing of the body is read yet. */
async function begun(kind) {
  const request = get(new URL(`/v1/reports/attendance.${kind}?${QUERY}`, server.url), { agent: false, headers: { authorization: `Bearer ${server.adminToken}` } });
  const [reply] = await once(request, 'response');
  assert.equal(reply.statusCode, 200);
  return { request, reply, length: Number(reply.headers['content-length']) };
}

/** Reads on, `first` being what was read before. What came, and whether it ended as it should. */
async function read(reply, first = []) {
  const pieces = [...first];
  try {
    for await (const piece of reply) pieces.push(piece);
    return { bytes: Buffer.concat(pieces), ended: true };
  } catch {
    return { bytes: Buffer.concat(pieces), ended: false };
  }
}

async function whole(kind) {
  const { reply, length } = await begun(kind);
  const { bytes, ended } = await read(reply);
  assert.ok(ended);
  assert.equal(bytes.length, length);
  return bytes;
}

const lastLine = (bytes) => csvRows(bytes.toString('utf8')).last;

/** Nobody takes it for the whole file: not by its length, nor by what it holds. */
function assertCut(kind, bytes, length) {
  assert.ok(bytes.length < length, `${bytes.length} of ${length} bytes`);
  if (kind === 'csv') assert.doesNotMatch(bytes.subarray(-40).toString('utf8'), /\r\n# \d+ rows\r\n$/);
  else assert.throws(() => sheetsOf(bytes));
}

async function until(holds, what) {
  for (const end = Date.now() + 20_000; !(await holds());) {
    assert.ok(Date.now() < end, `not within 20 s: ${what}`);
    await pause(0);
  }
}

for (const kind of KINDS) {
  describe(kind.toUpperCase(), () => {
    let full;
    test('that came whole is as long as was said and says how many rows it has', async () => {
      full = await whole(kind);
      if (kind === 'csv') assert.equal(lastLine(full), `# ${ROWS} rows`);
      else assert.equal(sheetsOf(full)['数据'].rows.length, ROWS + 1);
    });

    test('cut anywhere is shorter than was said, and neither its last line nor its table is there', async () => {
      const bytes = full;
      for (let end = bytes.length - 1; end > bytes.length - 40; --end) assertCut(kind, bytes.subarray(0, end), bytes.length);
      for (let i = 0; i < 50; ++i) assertCut(kind, bytes.subarray(0, Math.floor((bytes.length * i) / 50)), bytes.length);
    });

    test('whose reader goes away leaves nothing, and gives its place back', async () => {
      for (const part of kind === 'csv' ? [0, 0.5, 0.999, 0.1, 0.9] : [0.5]) { // more of them than there are places
        const { request, reply, length } = await begun(kind);
        let came = 0;
        for await (const piece of reply) if ((came += piece.length) >= part * length) break;
        request.destroy();
        await until(async () => (await exported()).length === 0, 'nothing is left of the file');
      }
      await until(async () => (await whole(kind).catch(() => null)) !== null, 'there is a place');
    });

    test('whose server is killed in the midst of it ends as a failure, and the next server has nothing of it', async () => {
      const { reply, length } = await begun(kind);
      assert.ok(length > BUFFERED, `a file of ${length} bytes may lie in the buffers as a whole`);
      const [first] = await once(reply, 'data');
      reply.pause();
      await server.kill();
      const { bytes, ended } = await read(reply, [first]);
      assert.equal(ended, false, 'the client is told');
      assertCut(kind, bytes, length);
      assert.ok(bytes.length > 0);
      if (kind === 'xlsx') await assertLibreOfficeOpensNothing(bytes);
      await server.start();
      assert.deepEqual(await exported(), []);
    });

    test('whose server is killed while it is made was never sent, and the next server has nothing of it', async () => {
      const answer = begun(kind).then(() => 'answered', () => 'nothing came');
      await until(async () => (await readdir(join(server.data, 'exports'))).length > 0, 'a file is being made');
      await server.kill();
      assert.equal(await answer, 'nothing came');
      assert.notDeepEqual(await exported(), [], 'a part was there');
      await server.start();
      assert.deepEqual(await exported(), []);
    });
  });
}

async function assertLibreOfficeOpensNothing(bytes) {
  const libreOffice = await LibreOffice.start();
  try {
    assert.deepEqual(await libreOffice.open({ cut: bytes }, { asShown: true }), {});
  } finally {
    await libreOffice.remove();
  }
}
