// Photos by the client that browsers use, tus-js-client, against a real server.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'photos';

let server, office, device;
before(async () => {
  server = await startServer();
  office = await createScopes(server, SCOPE);
  device = await enrolledDevice(server, [SCOPE]);
});
after(() => server.remove());

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Resolves when tus-js-client says that all of it has arrived. `sent` gathers what went over the line.
function upload(bytes, options = {}) {
  return new Promise((resolve, reject) => {
    const one = new Upload(bytes, {
      endpoint: `${server.url}/v1/blobs`,
      headers: { Authorization: `Bearer ${device.id}.${device.token}` },
      metadata: { sha256: hashOf(bytes), filename: '照片 1.jpg' },
      retryDelays: [0, 200, 500, 1000, 2000, 4000, 8000, 16000],
      ...options,
      onError: reject,
      onSuccess: () => resolve(one),
    });
    one.start();
  });
}

async function record(id) {
  const [row] = await server.all(`/v1/records?scope=${SCOPE}&coll=photo&id=${id}`, 'records');
  return row?.fields;
}

test('a photo arrives, its record says so, and comes back as it was', async () => {
  const bytes = randomBytes(700_000);
  device.edit(SCOPE, 'photo', 'p1', { set: { about: 'note/n1', blob: hashOf(bytes), bytes: bytes.length, media_type: 'image/png' } });
  await device.sync();
  assert.equal((await record('p1')).present, undefined);
  await upload(bytes, { chunkSize: 100_000 });
  assert.ok((await record('p1')).present);
  const answer = await fetch(`${server.url}/v1/blobs/${hashOf(bytes)}?scope=${SCOPE}&id=p1`, {
    headers: { Authorization: `Bearer ${device.id}.${device.token}` },
  });
  assert.equal(answer.headers.get('content-type'), 'image/png');
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
});

test('an upload goes on where it was over a killed server', async () => {
  const bytes = randomBytes(2_000_000);
  let killed = false;
  const offsets = [];
  await upload(bytes, {
    chunkSize: 200_000,
    onChunkComplete: (size, accepted) => {
      offsets.push(accepted);
      if (killed || accepted < 800_000) return;
      killed = true;
      server.kill().then(() => pause(200)).then(() => server.start());
    },
  });
  assert.ok(killed);
  assert.deepEqual(offsets, [...offsets].sort((a, b) => a - b), 'it never went back');
  assert.equal(offsets.at(-1), bytes.length);
});

test('a file that the server has is not sent again', async () => {
  const bytes = randomBytes(300_000);
  await upload(bytes);
  const headers = {
    Authorization: `Bearer ${device.id}.${device.token}`,
    'Tus-Resumable': '1.0.0',
    'Upload-Length': `${bytes.length}`,
    'Upload-Metadata': `sha256 ${Buffer.from(hashOf(bytes)).toString('base64')}`,
  };
  const made = await fetch(`${server.url}/v1/blobs`, { method: 'POST', headers });
  assert.equal(made.headers.get('upload-offset'), `${bytes.length}`);
  const sent = [];
  await upload(bytes, {
    uploadUrl: new URL(made.headers.get('location'), server.url).href,
    onBeforeRequest: (request) => { sent.push(request.getMethod()); },
  });
  assert.deepEqual(sent, ['HEAD']);
  await upload(bytes);  // also by its own way
});

test('what was changed on the way is refused', async () => {
  const bytes = randomBytes(10_000);
  await assert.rejects(upload(bytes, { metadata: { sha256: hashOf(randomBytes(1)) } }), (error) => {
    assert.equal(error.originalResponse.getStatus(), 422);
    assert.match(error.originalResponse.getBody(), /upload\.hash/);
    return true;
  });
});
