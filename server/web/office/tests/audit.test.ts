// The audit log backwards, and as a file that a spreadsheet opens without being told what to do by it.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { auditCsv, csvField, matchesAudit, readBack } from '../audit';
import type { AuditEntry } from '../types';

const entry = (n: number): AuditEntry => ({ n, time: 1_767_225_600_000 + n, who: 'office 李梅', what: 'device.role', on: `device D${n}`, details: { role: 'lead' }, hash: 'ab' });
const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

/** A server whose log has `length` entries, and one more after each request where it `grows`. */
function logOf(length: number, { grows = false } = {}): string[] {
  const asked: string[] = [];
  let end = length;
  globalThis.fetch = (async (path: string) => {
    asked.push(path);
    const query = new URL(path, 'http://x').searchParams;
    const after = Number(query.get('after') ?? 0);
    const limit = Number(query.get('limit'));
    const audit = Array.from({ length: Math.max(0, Math.min(limit, end - after)) }, (_, i) => entry(after + i + 1));
    const head = { n: end, hash: 'ab' };
    if (grows) ++end;
    return new Response(JSON.stringify({ audit, head }));
  }) as typeof fetch;
  return asked;
}

test('the newest come first, and the parts before them without a gap', async () => {
  logOf(25);
  const first = await readBack(null, 10);
  assert.deepEqual(first.entries.map(({ n }) => n), [25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
  assert.equal(first.before, 15);
  const second = await readBack(first.before, 10);
  const third = await readBack(second.before, 10);
  assert.deepEqual(third.entries.map(({ n }) => n), [5, 4, 3, 2, 1]);
  assert.equal(third.before, 0);
});

test('a log without entries has nothing before it', async () => {
  logOf(0);
  assert.deepEqual(await readBack(null, 10), { entries: [], head: { n: 0, hash: 'ab' }, before: 0 });
});

test('the file ends where the log ended when it was begun, though entries come meanwhile', async () => {
  logOf(2_500, { grows: true });
  const text = await (await auditCsv(() => undefined)).text();
  const lines = text.trimEnd().split('\r\n');
  assert.equal(lines.length, 2_502);
  assert.equal(lines.at(-1), '# 2500 rows');
  assert.ok(lines.at(-2)!.startsWith('2500,'));
});

test('what would be a formula is none, and quotes and commas stay in their field', () => {
  assert.equal(csvField('=1+1'), "'=1+1");
  assert.equal(csvField('@x'), "'@x");
  assert.equal(csvField('a,"b"'), '"a,""b"""');
  assert.equal(csvField('李梅'), '李梅');
});

test('a search finds an entry by all its words, in any of its parts', () => {
  assert.ok(matchesAudit(entry(7), '李梅 D7 lead'));
  assert.ok(!matchesAudit(entry(7), '李梅 D8'));
  assert.ok(matchesAudit(entry(7), ''));
});
