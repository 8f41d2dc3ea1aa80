// Files that the page reads: whole, or not at all.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ApiError, explain, setGate } from '../api';
import { fileName, readFile } from '../files';

const NAME = "attachment; filename=\"visits.csv\"; filename*=UTF-8''%E5%88%B0%E8%AE%BF.csv";
let answers: (Response | Error)[] = [];
let signedIn = 0;

beforeEach(() => {
  answers = [];
  signedIn = 0;
  globalThis.fetch = (async () => {
    const next = answers.shift();
    if (next === undefined) throw new Error('nobody expected this');
    if (next instanceof Error) throw next;
    return next;
  }) as typeof fetch;
  setGate({ name: () => 'limei', csrf: () => '', signInAgain: async () => void ++signedIn, refresh: async () => true });
});

const file = (text: string, bytes = text.length, headers: Record<string, string> = {}) => new Response(text, { headers: { 'content-disposition': NAME, 'content-length': String(bytes), ...headers } });
const refused = (status: number, code: string) => new Response(JSON.stringify({ code, detail: '' }), { status });
const read = () => readFile('/v1/reports/visits.csv?by=day', new AbortController().signal, () => undefined);
const withCode = (code: string) => (error: unknown) => error instanceof ApiError && error.code === code && !explain(error).includes(code);

describe('a file', () => {
  it('that comes whole has its name and its bytes', async () => {
    answers = [file('a,b\r\n')];
    const got = await read();
    assert.equal(got?.name, '到访.csv');
    assert.equal(await got?.blob.text(), 'a,b\r\n');
  });

  it('that is cut off is none, and says so', async () => {
    answers = [file('a,b\r\n', 4000)];
    await assert.rejects(read(), withCode('file.cut'));
    const broken = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('a')), pull: (controller) => controller.error(new TypeError('terminated')) });
    answers = [new Response(broken, { headers: { 'content-disposition': NAME } })];
    await assert.rejects(read(), withCode('file.cut'));
  });

  it('that the server refuses is refused in words', async () => {
    for (const [status, code] of [[507, 'report.disk'], [413, 'report.too_large'], [403, 'access.denied']] as const) {
      answers = [refused(status, code)];
      await assert.rejects(read(), withCode(code));
    }
    answers = [new TypeError('fetch failed')];
    await assert.rejects(read(), withCode('file.away'));
  });

  it('is read after a sign-in where the session has ended', async () => {
    answers = [refused(401, 'auth.required'), file('a')];
    assert.equal((await read())?.blob.size, 1);
    assert.equal(signedIn, 1);
  });

  it('that something on the way answers in place of the server is none', async () => {
    answers = [new Response('<h1>log in</h1>', { headers: { 'content-type': 'text/html' } })];
    await assert.rejects(read(), withCode('http.no_json'));
  });

  it('above what a page is to hold is left to the browser', async () => {
    answers = [file('a', 300 * 1024 * 1024)];
    assert.equal(await read(), null);
  });

  it('has a name whatever the server says', () => {
    assert.equal(fileName(null, '/v1/reports/visits.csv?by=day'), 'visits.csv');
    assert.equal(fileName("attachment; filename=\"a.csv\"; filename*=UTF-8''%E5", ''), 'a.csv');
  });
});
