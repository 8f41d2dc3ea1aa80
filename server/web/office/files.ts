// Files of the server. The page reads them itself, so that what goes wrong is said in words, and gives them whole to
// the browser to be kept: what was cut off is never saved as if it were all of it.

import { ApiError, answerTo, isAbort, parsed, type Answer } from './api';

export interface Progress {
  done: number;
  /** Null where the server does not say. */
  of: number | null;
}

export interface ReadFile {
  name: string;
  blob: Blob;
}

/** Above this the browser fetches it once more by itself, straight to the disk: pages are to hold no more. */
const MOST_BYTES = 256 * 1024 * 1024;
/** The server makes a file before it sends the first byte: a million rows take it a while. */
const FIRST_MS = 10 * 60_000;
const STILL_MS = 60_000;
/** So much is held as pieces; the browser keeps what was put together outside of the page's memory. */
const PIECES_BYTES = 8 * 1024 * 1024;

/** The name for people (RFC 8187), else the plain one, else the end of the address. */
export function fileName(disposition: string | null, path: string): string {
  const coded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '')?.[1];
  const plain = /filename="([^"]+)"/i.exec(disposition ?? '')?.[1];
  try {
    if (coded !== undefined) return decodeURIComponent(coded);
  } catch {
    // Then by its plain name.
  }
  return plain ?? path.replace(/\?.*$/, '').split('/').at(-1) ?? 'file';
}

/** Reads it whole; null: it is too large for a page, the browser is to take it. Throws ApiError, `file.cut` and
 *  `file.away` among them, or AbortError by `signal`. */
export function readFile(path: string, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<ReadFile | null> {
  return answerTo<ReadFile | null>('GET', { signal }, () => fetchFile(path, signal, onProgress));
}

async function fetchFile(path: string, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<Answer> {
  const ending = new AbortController();
  const stop = () => ending.abort();
  signal.addEventListener('abort', stop);
  let timer = setTimeout(stop, FIRST_MS);
  const goesOn = () => {
    clearTimeout(timer);
    timer = setTimeout(stop, STILL_MS);
  };
  let begun = false;
  try {
    const response = await fetch(path, { cache: 'no-store', credentials: 'same-origin', signal: ending.signal });
    goesOn();
    if (response.status === 502 || response.status === 504) throw new TypeError(`answer ${response.status}`);
    const { ok, status, headers } = response;
    const retryAfter = headers.get('retry-after');
    if (!ok) return { ok, status, retryAfter, body: parsed(await response.text()) };
    const disposition = headers.get('content-disposition');
    if (disposition === null) return { ok, status, retryAfter, body: undefined };
    begun = true;
    const of = headers.get('content-encoding') === null ? Number(headers.get('content-length') ?? NaN) : NaN;
    if (of > MOST_BYTES) {
      stop();
      return { ok, status, retryAfter, body: null };
    }
    const blob = await gather(response, Number.isNaN(of) ? null : of, (progress) => {
      goesOn();
      onProgress(progress);
    });
    return { ok, status, retryAfter, body: { name: fileName(disposition, path), blob } };
  } catch (error) {
    if (signal.aborted) throw new DOMException('', 'AbortError');
    if (error instanceof ApiError) throw error;
    throw new ApiError(begun ? 'file.cut' : 'file.away', 0, isAbort(error) ? '' : String(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function gather(response: Response, of: number | null, onProgress: (progress: Progress) => void): Promise<Blob> {
  const type = response.headers.get('content-type') ?? '';
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  let whole = new Blob([], { type });
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let held = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (value !== undefined) {
      pieces.push(value);
      held += value.length;
      onProgress({ done: whole.size + held, of });
    }
    if (done || held > PIECES_BYTES) {
      whole = new Blob([whole, ...pieces], { type });
      pieces = [];
      held = 0;
    }
    if (done) break;
  }
  if (of !== null && whole.size !== of) throw new ApiError('file.cut', 0, `${whole.size} of ${of} bytes`);
  return whole;
}

const KEPT_MS = 60_000;

/** Asks the browser to keep it. */
export function keepFile({ name, blob }: ReadFile): void {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
