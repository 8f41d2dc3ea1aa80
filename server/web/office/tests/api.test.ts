// A request's way: sessions that end, tokens that have changed, servers that are away.

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { ApiError, explain, get, onAway, post, request, setGate, withQuery } from '../api';

interface Asked {
  method: string;
  path: string;
  csrf: string | null;
  body: unknown;
}

type Answer = Response | Error;

let asked: Asked[] = [];
let signedIn = 0;
let name = 'limei';
let csrf = 'token 1';

/** A server that answers in this order; to /healthz it says what stands in `health`. */
function serverSays(answers: Answer[], health: Answer[] = []): void {
  globalThis.fetch = (async (path: string, init: RequestInit = {}) => {
    const next = path === '/healthz' ? health.shift() ?? json(200, {}) : answers.shift();
    if (path !== '/healthz') {
      asked.push({ method: init.method ?? 'GET', path, csrf: new Headers(init.headers).get('x-csrf-token'), body: init.body === undefined ? undefined : JSON.parse(String(init.body)) });
    }
    if (next === undefined) throw new Error(`nobody expected ${path}`);
    if (next instanceof Error) throw next;
    return next;
  }) as typeof fetch;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

const gone = () => new TypeError('fetch failed');
const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) => json(status, { code, detail: 'why', ...more }, headers);

// Waits are over at once; that for an answer (a minute) never ends by itself.
const realTimeout = globalThis.setTimeout;
after(() => {
  globalThis.setTimeout = realTimeout;
});

beforeEach(() => {
  globalThis.setTimeout = ((run: () => void, ms: number) => (ms >= 60_000 ? 0 : setImmediate(run))) as unknown as typeof setTimeout;
  asked = [];
  signedIn = 0;
  name = 'limei';
  csrf = 'token 1';
  globalThis.addEventListener = () => undefined;
  globalThis.removeEventListener = () => undefined;
  setGate({
    name: () => name,
    csrf: () => csrf,
    signInAgain: async () => {
      ++signedIn;
      csrf = 'token 2';
    },
    refresh: async () => {
      csrf = 'token 3';
      return true;
    },
  });
});

test('a session that has ended is signed in again, and the same edit goes out with the new token', async () => {
  serverSays([problem(401, 'auth.required'), json(200, { done: true })]);
  assert.deepEqual(await post('/v1/edits', { a: 1 }), { done: true });
  assert.equal(signedIn, 1);
  assert.deepEqual(asked.map((one) => [one.csrf, one.body]), [['token 1', { a: 1 }], ['token 2', { a: 1 }]]);
});

test('what is asked before anybody has signed in gets its answer of 401', async () => {
  serverSays([problem(401, 'auth.required')]);
  await assert.rejects(request('GET', '/v1/session', { open: true }), (error: ApiError) => error.code === 'auth.required');
  assert.equal(signedIn, 0);
});

test('a token that another page has changed is asked for once, and no more', async () => {
  serverSays([problem(403, 'auth.csrf'), problem(403, 'auth.csrf')]);
  await assert.rejects(post('/v1/codes'), (error: ApiError) => error.code === 'auth.csrf');
  assert.deepEqual(asked.map((one) => one.csrf), ['token 1', 'token 3']);
});

test('what reads waits for a server that is away, and says so meanwhile', async () => {
  const told: boolean[] = [];
  const stop = onAway((away) => told.push(away));
  serverSays([gone(), json(200, { rows: [] })], [gone(), json(502, {}), json(200, {})]);
  assert.deepEqual(await get('/v1/devices'), { rows: [] });
  stop();
  assert.deepEqual(told, [false, true, false]);
});

test('an answer that breaks off is none: what reads asks again, what changes something says that it is not known', async () => {
  const broken = () => new Response(new ReadableStream({ start: (body) => body.error(new TypeError('terminated')) }));
  serverSays([broken(), json(200, { rows: [] })]);
  assert.deepEqual(await get('/v1/devices'), { rows: [] });
  serverSays([broken()]);
  await assert.rejects(post('/v1/codes', {}), (error: ApiError) => error.code === 'away');
});

test('an answer that stays away in its middle is given up', async () => {
  globalThis.setTimeout = ((run: () => void) => setImmediate(run)) as unknown as typeof setTimeout;
  serverSays([]);
  const healthy = globalThis.fetch;
  globalThis.fetch = (async (path: string, init: RequestInit = {}) => {
    if (path === '/healthz') return healthy(path, init);
    return new Response(new ReadableStream({ start: (body) => init.signal?.addEventListener('abort', () => body.error(new DOMException('', 'AbortError'))) }));
  }) as typeof fetch;
  await assert.rejects(post('/v1/codes', {}), (error: ApiError) => error.code === 'away');
});

test('a page that a proxy gives in the place of an answer is an error with words', async () => {
  const page = () => new Response('<html>Sign in to the network</html>');
  serverSays([page()]);
  await assert.rejects(get('/v1/devices'), (error: ApiError) => error.code === 'http.no_json');
  serverSays([page()]);
  await assert.rejects(post('/v1/codes', {}), (error: ApiError) => error.code === 'away');
});

test('what changes something is not sent twice to a server that is away', async () => {
  for (const answer of [gone(), json(502, {})]) {
    asked = [];
    serverSays([answer]);
    await assert.rejects(post('/v1/codes', {}), (error: ApiError) => error.code === 'away');
    assert.equal(asked.length, 1);
  }
});

test('a problem keeps its code, what more it tells, and when to come back', async () => {
  serverSays([problem(503, 'list.warming', { done: 0.37 }, { 'retry-after': '3' })]);
  await assert.rejects(get('/v1/lists/event'), (error: ApiError) => error.code === 'list.warming' && error.problem.done === 0.37 && error.retryAfterMs === 3_000);
});

test('an error is said in words; one that no sentence is there for with its code', () => {
  assert.equal(explain(new ApiError('auth.slow_down', 429, '', {}, 4_200)), '尝试次数太多，请 5 秒后再试。');
  assert.match(explain(new ApiError('quite.new', 400, 'so')), /quite\.new/);
});

test('what is empty is not in a query', () => {
  assert.equal(withQuery('/v1/devices', { q: '', state: undefined, offset: 0, sort: '-name' }), '/v1/devices?offset=0&sort=-name');
});
