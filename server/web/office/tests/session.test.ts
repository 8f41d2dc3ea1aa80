// Whose session it is: what one has typed is not sent under the name of another, who has signed in beside.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ApiError, explain, get, post } from '../api';
import { readSession, session, startSession } from '../session';

let holder = 'limei';
let edits: (string | null)[] = [];
let answers: Response[] = [];

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const sessionOf = (name: string) => json(200, { name, display: name, role: 'office', csrf: `token of ${name}`, second_factor: false, expires: 0 });
const isOther = (error: unknown) => error instanceof ApiError && error.code === 'auth.other_account' && /wangqi/.test(explain(error));

beforeEach(async () => {
  holder = 'limei';
  edits = [];
  answers = [];
  globalThis.fetch = (async (path: string, init: RequestInit = {}) => {
    if (path === '/v1/session') return sessionOf(holder);
    edits.push(new Headers(init.headers).get('x-csrf-token'));
    const next = answers.shift();
    if (next === undefined) throw new Error(`nobody expected ${path}`);
    return next;
  }) as typeof fetch;
  await startSession();
});

test('an edit whose token is not that of the session is sent again under the same name', async () => {
  answers = [json(403, { code: 'auth.csrf' }), json(200, {})];
  await post('/v1/edits');
  assert.equal(edits.length, 2);
});

test('an edit is not sent again when another account has signed in in this browser', async () => {
  holder = 'wangqi';
  answers = [json(403, { code: 'auth.csrf' }), json(200, {})];
  await assert.rejects(post('/v1/edits'), isOther);
  assert.deepEqual(edits, ['token of limei']);
  assert.equal(session().name, 'wangqi');
});

test('of two edits at once neither goes out under the other name', async () => {
  holder = 'wangqi';
  answers = [json(403, { code: 'auth.csrf' }), json(403, { code: 'auth.csrf' }), json(200, {}), json(200, {})];
  const told = await Promise.allSettled([post('/v1/edits'), post('/v1/edits')]);
  assert.deepEqual(told.map(({ status }) => status), ['rejected', 'rejected']);
  assert.equal(edits.length, 2);
});

test('an edit that waits for a sign-in is not sent when somebody else signs in, and what only reads goes on', async () => {
  answers = [json(401, { code: 'auth.required' }), json(401, { code: 'auth.required' }), json(200, { rows: [] })];
  const edit = post('/v1/edits');
  const read = get('/v1/devices');
  await new Promise((done) => setImmediate(done));
  holder = 'wangqi';
  await readSession();
  await assert.rejects(edit, isOther);
  assert.deepEqual(await read, { rows: [] });
  assert.equal(edits.length, 3);
});
