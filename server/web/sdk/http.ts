// Requests to the server, and what their failing means.

import { ApiError } from './api';
import type { Transport } from './types';

/** No answer came, or none that can be understood: whether the server took the message is unknown. */
export class NoAnswer extends ApiError {
  constructor(detail: string) {
    super('offline', detail);
  }
}

/** The server asks to be left alone for a while. */
export class Busy extends ApiError {
  constructor(readonly retryAfterMs: number) {
    super('busy', `for ${retryAfterMs} ms`, 503);
  }
}

/** Errors after which trying again with the same name or the same program is pointless. */
export function isFinal(code: string): boolean {
  return code.startsWith('auth.') || code === 'version.unsupported';
}

const TIMEOUT_MS = 30_000;

export class Http {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** An answer with a 2xx status, or one for which `isAnswer` holds whatever its status; else rejects. */
  async post<T extends object>(server: string, path: string, body: unknown,
                               { token, isAnswer }: { token?: string; isAnswer?: (reply: object) => boolean } = {}): Promise<T> {
    const { status, headers, reply } = await this.#answer(server, path, JSON.stringify(body), token);
    if (status < 300 || isAnswer?.(reply)) return reply as T;
    const { code = 'internal', detail = '' } = reply as { code?: string; detail?: string };
    const isToWait = (status === 429 || status === 503) && code === 'busy';
    if (isToWait) throw new Busy(1000 * Number(headers('retry-after') ?? 1));
    throw new ApiError(code, detail, status);
  }

  async #answer(server: string, path: string, body: string, token: string | undefined) {
    const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    try {
      const answer = await this.#transport.request('POST', addressOf(server, path), { headers, body, timeoutMs: TIMEOUT_MS });
      const reply: unknown = JSON.parse(answer.text);
      if (reply === null || typeof reply !== 'object') throw new Error('no object');
      return { ...answer, reply };
    } catch (error) {
      throw new NoAnswer(error instanceof Error ? error.message : String(error));
    }
  }
}

export function addressOf(server: string, path: string): string {
  return server.replace(/\/+$/, '') + path;
}

export function liveAddressOf(server: string): string {
  return addressOf(server, '/v1/live').replace(/^http/, 'ws');
}
