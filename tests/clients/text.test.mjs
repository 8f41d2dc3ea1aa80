// Text goes to the server and comes back to another device exactly as it was written.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { canonical } from './canonical.mjs';
import { createScopes, enrolledDevices } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'text';

const TEXTS = {
  chinese: '水不够，送两箱到南门',
  traditional: '驛站　〇',
  emoji: '👍🏽 👨‍👩‍👧‍👦 🇨🇳',
  composed: 'caf\u00e9 \u00c5 \uac00',
  decomposed: 'cafe\u0301 A\u030a \u1100\u1161',
  four_bytes: '\u{20000}\u{2a6d6}𝄞',
  rtl: '\u200fשלום \u202bعربي\u202c',
  nul: 'before\u0000after',
  controls: '\u0001\u001f\u007f\u0080\u2028\u2029\ufeff\uffff',
  escapes: '"\\/\b\f\n\r\t</script>',
  combining: 'z̷̛̳a̸l̵g̷o̶',
  empty: '',
  spaces: '  \t leading and trailing \u3000 ',
};

let server, writer, reader;
before(async () => {
  server = await startServer();
  await createScopes(server, SCOPE);
  [writer, reader] = await enrolledDevices(server, 2, [SCOPE]);
});
after(() => server.remove());

async function assertSameAt(id, text) {
  const there = reader.view(SCOPE, 'note', id).fields;
  assert.equal(there.text, text);
  assert.deepEqual(there.tags, [text]);
  assert.deepEqual(there.nested, { [text]: [text] });
  const [record] = await server.all(`/v1/records?scope=${SCOPE}&coll=note&id=${id}`, 'records');
  assert.equal(canonical(record.fields), canonical(there));
}

for (const [id, text] of Object.entries(TEXTS)) {
  test(`${id}: as value, as element, and inside an unknown field`, async () => {
    writer.edit(SCOPE, 'note', id, { set: { text, nested: { [text]: [text] } }, add: { tags: [text] } });
    await writer.sync();
    await reader.sync();
    assert.deepEqual(writer.refusals(), []);
    await assertSameAt(id, text);
    assert.equal(reader.counts.digestsDiffered + writer.counts.digestsDiffered, 0);
  });
}

test('all of it is the same after the server was killed', async () => {
  await server.killAndRestart();
  for (const [id, text] of Object.entries(TEXTS)) await assertSameAt(id, text);
  const [fresh] = await enrolledDevices(server, 1, [SCOPE]);
  await fresh.sync();
  assert.equal(fresh.digest(SCOPE), reader.digest(SCOPE));
});

test('composed and decomposed text are two values and two elements', async () => {
  writer.edit(SCOPE, 'note', 'forms', { add: { tags: ['\u00e9', 'e\u0301'] } });
  await writer.sync();
  await reader.sync();
  assert.deepEqual(reader.view(SCOPE, 'note', 'forms').fields.tags, ['e\u0301', '\u00e9']);
});

test('numbers come back as the same doubles', async () => {
  const numbers = [0, -0, 1, -1, 0.1, 1e-7, 1.5e-300, 5e-324, 123456789.125, 9007199254740991, -9007199254740991, 0.30000000000000004, 1 / 3];
  writer.edit(SCOPE, 'note', 'numbers', { set: { numbers } });
  await writer.sync();
  await reader.sync();
  assert.deepEqual(reader.view(SCOPE, 'note', 'numbers').fields.numbers.map((x) => x + 0), numbers.map((x) => x + 0));
  assert.equal(reader.digest(SCOPE), writer.digest(SCOPE));
  assert.equal(reader.counts.digestsDiffered, 0);
});

test('half of a surrogate pair is refused, the op kept, and the text beside it unharmed', async () => {
  writer.edit(SCOPE, 'note', 'half', { set: { text: 'cut \ud83d' } });
  writer.edit(SCOPE, 'note', 'whole', { set: { text: 'whole 😀' } });
  await writer.sync();
  await reader.sync();
  assert.equal(writer.refusals().at(-1).refused.code, 'string.surrogate');
  assert.equal(reader.view(SCOPE, 'note', 'half'), undefined);
  assert.equal(reader.view(SCOPE, 'note', 'whole').fields.text, 'whole 😀');
  const kept = await server.all(`/v1/quarantine?device=${writer.id}`, 'quarantine');
  assert.equal(kept.at(-1).code, 'string.surrogate');
});

test('names of devices and scopes are shown as they were given', async () => {
  const code = await server.createCode([SCOPE], { name: '南门 📱' });
  const { body } = await server.call('POST', '/v1/enroll', { body: { code, request: '0123456789abcdef', name: '小李 📱', app: '版本 1' } });
  const row = await server.deviceRow(body.device);
  assert.ok(['南门 📱', '小李 📱'].includes(row.name), row.name);
  assert.equal(row.app, '版本 1');
});
