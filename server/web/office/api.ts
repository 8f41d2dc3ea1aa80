// Requests to the server. What it refuses is an ApiError with its stable code; a session that has ended asks
// for a sign-in over the page and goes on; a server that is away is waited for (reads) or said (changes: what
// became of them is not known, so nobody repeats them unasked).

import { hasSentence, t } from './words';
import type { Query } from './router';

export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    /** The whole problem document: some codes tell more. */
    readonly problem: Record<string, unknown> = {},
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${code}: ${detail}`);
  }
}

interface Gate {
  /** Whose session it is; '' where nobody is signed in. */
  name(): string;
  csrf(): string;
  /** The session has ended: resolves when somebody has signed in again. */
  signInAgain(): Promise<void>;
  /** Another page of this browser may have signed in anew. */
  refresh(): Promise<boolean>;
}

let gate: Gate | null = null;

/** session.ts stands at the gate; it needs the requests itself. */
export function setGate(next: Gate): void {
  gate = next;
}

// --- a server that is away -------------------------------------------------------------------------------

const FIRST_LOOK_MS = 1_000;
const LAST_LOOK_MS = 10_000;
// A server that neither answers nor hangs up counts as away.
const ANSWER_MS = 60_000;
const LOOK_MS = 5_000;

let away = false;
const awayListeners = new Set<(away: boolean) => void>();
let back: Promise<void> | null = null;

export function onAway(listener: (away: boolean) => void): () => void {
  awayListeners.add(listener);
  listener(away);
  return () => awayListeners.delete(listener);
}

function setAway(next: boolean): void {
  if (away === next) return;
  away = next;
  for (const listener of awayListeners) listener(away);
}

/** Looks until the server answers; all that wait share one looking. */
function untilBack(): Promise<void> {
  setAway(true);
  back ??= (async () => {
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(LAST_LOOK_MS, wait * 1.6)) {
      await pause(wait);
      const answer = await within(LOOK_MS, undefined, (signal) => fetch('/healthz', { cache: 'no-store', signal })).catch(() => null);
      if (answer?.ok === true) break;
    }
    back = null;
    setAway(false);
  })();
  return back;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      removeEventListener('online', done);
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
  });
}

const BUSY_TRIES = 6;
const BUSY_MS = 400;

// --- one request -----------------------------------------------------------------------------------------

export interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** For what is asked before anybody has signed in: an answer of 401 is an answer. */
  open?: boolean;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** One's edit never goes out under another's name, whoever has signed in in this browser meanwhile. */
function stopIfOther(method: string, asker: string): void {
  const now = gate?.name() ?? '';
  if (method !== 'GET' && now !== asker) throw new ApiError('auth.other_account', 403, now);
}

/** Whoever asked has gone on to something else, perhaps while a sign-in or the server was waited for. */
function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new DOMException('', 'AbortError');
}

/** Does it until `ms` are over or `signal` ends it; then it is aborted. */
async function within<Result>(ms: number, signal: AbortSignal | undefined, doing: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const ending = new AbortController();
  const stop = () => ending.abort();
  signal?.addEventListener('abort', stop);
  const timer = setTimeout(stop, ms);
  try {
    return await doing(ending.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

export interface Answer {
  ok: boolean;
  status: number;
  retryAfter: string | null;
  /** Undefined: it is not what was asked for, so it is not the server's. */
  body: unknown;
}

/** Undefined: no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The whole answer: one that breaks off in the middle is none. */
async function send(method: string, path: string, { body, signal }: RequestOptions): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['x-csrf-token'] = gate?.csrf() ?? '';
  try {
    return await within(ANSWER_MS, signal, async (ending) => {
      const response = await fetch(path, {
        method, headers, cache: 'no-store', credentials: 'same-origin', signal: ending,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      // A proxy says that the server behind it is away.
      if (response.status === 502 || response.status === 504) throw new TypeError(`answer ${response.status}`);
      const { ok, status } = response;
      return { ok, status, retryAfter: response.headers.get('retry-after'), body: parsed(await response.text()) };
    });
  } catch (error) {
    stopIfAborted(signal);
    if (isAbort(error)) throw new TypeError('no answer came');
    throw error;
  }
}

function errorOf({ status, retryAfter, body }: Answer): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const seconds = Number(retryAfter ?? 'none');
  const told = typeof problem.retry_after_ms === 'number' ? problem.retry_after_ms : Number.isFinite(seconds) ? seconds * 1000 : null;
  const code = typeof problem.code === 'string' ? problem.code : `http.${status}`;
  return new ApiError(code, status, String(problem.detail ?? ''), problem, told);
}

/** Anything thrown, as what a page shows. */
export function asApiError(fault: unknown): ApiError {
  return fault instanceof ApiError ? fault : new ApiError('internal', 0, fault instanceof Error ? fault.message : String(fault));
}

/** The answer to a request. Throws ApiError (`away` where no answer came), or AbortError by `signal`. */
export function request<Reply>(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
  return answerTo<Reply>(method, options, () => send(method, path, options));
}

/** The same of whatever `ask` sends. It throws AbortError, ApiError for what is not to be tried again, and anything
 *  else where no answer came. */
export async function answerTo<Reply>(method: string, options: RequestOptions, ask: () => Promise<Answer>): Promise<Reply> {
  let tries = 0;
  const asker = gate?.name() ?? '';
  for (let refreshed = false; ; ) {
    stopIfAborted(options.signal);
    let answer: Answer;
    try {
      answer = await ask();
    } catch (error) {
      if (isAbort(error) || error instanceof ApiError) throw error;
      const waiting = untilBack();
      if (method !== 'GET') throw new ApiError('away', 0, String(error));
      await waiting;
      continue;
    }
    if (answer.ok && answer.body !== undefined) return answer.body as Reply;
    // Something on the way has answered in the server's place: what became of a change is not known.
    if (answer.ok) throw new ApiError(method === 'GET' ? 'http.no_json' : 'away', 0, '');
    const error = errorOf(answer);
    if (error.code === 'auth.required' && options.open !== true && gate !== null) {
      await gate.signInAgain();
      stopIfOther(method, asker);
      continue;
    }
    if (error.code === 'auth.csrf' && !refreshed && options.open !== true && gate !== null) {
      refreshed = true;
      if (await gate.refresh()) {
        stopIfOther(method, asker);
        continue;
      }
    }
    // The server reads a few things for one person at a time; what is only read waits for its turn.
    if (error.code === 'busy' && method === 'GET' && tries < BUSY_TRIES) {
      tries++;
      await pause((error.retryAfterMs ?? 0) / 4 + Math.random() * BUSY_MS);
      if (options.signal?.aborted === true) throw new DOMException('', 'AbortError');
      continue;
    }
    throw error;
  }
}

export function withQuery(path: string, query: Query): string {
  const said = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') said.set(key, String(value));
  const text = said.toString();
  return text === '' ? path : `${path}?${text}`;
}

export function get<Reply>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Reply> {
  return request<Reply>('GET', withQuery(path, query), { signal });
}

export function post<Reply>(path: string, body: unknown = {}): Promise<Reply> {
  return request<Reply>('POST', path, { body });
}

export function put<Reply>(path: string, body: unknown): Promise<Reply> {
  return request<Reply>('PUT', path, { body });
}

export function del<Reply>(path: string): Promise<Reply> {
  return request<Reply>('DELETE', path);
}

/** At most so many at once: names of what a page mentions do not crowd out the page itself. */
export function inTurn(most: number): <Reply>(doing: () => Promise<Reply>) => Promise<Reply> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (doing) => {
    if (running >= most) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
      return await doing();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

/** What went wrong, and what to do, in the language on show. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t('err.internal', { detail: error instanceof Error ? error.message : String(error) });
  const key = `err.${error.code}`;
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
  if (hasSentence(key)) return t(key, { n: seconds, detail: error.detail });
  const refused = `refusal.${error.code}`;
  if (hasSentence(refused)) return `${t(refused)}${error.detail === '' ? '' : ` (${error.detail})`}`;
  return t('err.other', { code: error.code, detail: error.detail });
}
