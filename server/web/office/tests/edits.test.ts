// A person's edits on their way: once, whatever becomes of the answer.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ApiError } from '../api';
import { handIn, isChanged } from '../edits';

interface Sent {
  request: string;
  ops: { schema: number; if_seq: number }[];
  expect?: unknown;
}

const EDIT = { scope: 't', coll: 'volunteer', id: 'v1', if_seq: 7, set: { team: 'A' } };
let sent: Sent[] = [];
let answers: (Response | Error)[] = [];

beforeEach(() => {
  sent = [];
  globalThis.addEventListener = () => undefined;
  globalThis.removeEventListener = () => undefined;
  globalThis.fetch = (async (path: string, init: RequestInit = {}) => {
    if (path === '/healthz') return new Response('{}');
    sent.push(JSON.parse(String(init.body)) as Sent);
    const next = answers.shift();
    if (next === undefined || next instanceof Error) throw next ?? new Error('nobody expected it');
    return next;
  }) as typeof fetch;
});

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const taken = (seq: number) => json(200, { device: 'D', results: [{ n: 1, ok: true, seq }] });

test('edits go under the newest schema, against what the page showed, and tell the new seq', async () => {
  answers = [taken(9)];
  assert.deepEqual(await handIn([EDIT]), [9]);
  assert.deepEqual(sent[0]?.ops, [{ schema: 2, ...EDIT }]);
  assert.match(sent[0]?.request ?? '', /^[0-9a-f]{32}$/);
});

test('what is only looked at goes beside the edits', async () => {
  const other = { scope: 't', coll: 'volunteer', id: 'b', if_seq: 7 };
  answers = [taken(9), taken(10)];
  await handIn([EDIT], [other]);
  await handIn([EDIT]);
  assert.deepEqual(sent.map(({ expect }) => expect), [[other], undefined]);
});

test('tried again after an answer that got lost they go under the same name, others under another', async () => {
  answers = [new TypeError('lost'), taken(9), taken(10), taken(11)];
  await assert.rejects(handIn([EDIT]), (error: ApiError) => error.code === 'away');
  await handIn([EDIT]);
  await handIn([EDIT]);
  await handIn([{ ...EDIT, if_seq: 10 }]);
  const names = sent.map(({ request }) => request);
  assert.equal(names[1], names[0]);
  assert.equal(new Set(names).size, 3);
});

test('what is refused is thrown under its code, and what somebody else has changed is told apart', async () => {
  answers = [json(200, { device: 'D', results: [{ refused: { code: 'field.limit', detail: 'team' } }, { refused: { code: 'edit.skipped', detail: '' } }] }),
             json(409, { code: 'edit.changed', detail: '', changed: [] })];
  await assert.rejects(handIn([EDIT, EDIT]), (error: ApiError) => error.code === 'field.limit' && !isChanged(error));
  await assert.rejects(handIn([EDIT]), isChanged);
});
