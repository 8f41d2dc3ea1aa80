// What a page shows of the server: read when it is opened, when what it depends on changes, on demand, and
// again by itself where the server has said when.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, type ApiError } from './api';
import { whenPresent } from './presence';

export interface Loaded<Reply> {
  /** The latest answer; it stays on show while the next one is on its way. */
  data: Reply | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
  /** Takes over what a change has answered with. */
  setData: (change: (data: Reply) => Reply) => void;
}

const BUSY_MS = 2_000;
const AFTER_FAULT_MS = 10_000;

interface LoadOptions<Reply> {
  /** Reads again after so long; where the answer says how eagerly, by the answer. */
  everyMs?: number | ((data: Reply) => number);
  /** Whether the old answer stays on show while that for another key is on its way. */
  keep?: boolean;
}

/** After how long a page that has failed to read reads again by itself; `null`: not at all. A page that follows
 *  what it shows goes on doing so, whatever went wrong once. */
export function againAfter({ status, retryAfterMs }: ApiError, everyMs: LoadOptions<never>['everyMs']): number | null {
  if (status === 503) return retryAfterMs ?? BUSY_MS;
  if (everyMs === undefined) return null;
  return Math.max(retryAfterMs ?? 0, AFTER_FAULT_MS, typeof everyMs === 'number' ? everyMs : 0);
}

/** `key`: what the answer depends on. */
export function useLoad<Reply>(key: string, load: (signal: AbortSignal) => Promise<Reply>, { everyMs, keep = true }: LoadOptions<Reply> = {}): Loaded<Reply> {
  const [data, setData] = useState<Reply | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(true);
  const [asked, setAsked] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const lastKey = useRef(key);

  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopWaiting = () => undefined as unknown;
    const again = (ms: number) => {
      timer = setTimeout(() => {
        stopWaiting = whenPresent(() => setAsked((n) => n + 1));
      }, ms);
    };
    if (lastKey.current !== key) {
      lastKey.current = key;
      if (!keep) setData(null);
    }
    setLoading(true);
    latest.current(ending.signal).then(
      (reply) => {
        if (ending.signal.aborted) return;
        setData(reply);
        setError(null);
        setLoading(false);
        if (everyMs !== undefined) again(typeof everyMs === 'number' ? everyMs : everyMs(reply));
      },
      (fault: unknown) => {
        if (ending.signal.aborted) return;
        setLoading(false);
        const wrong = asApiError(fault);
        setError(wrong);
        const ms = againAfter(wrong, everyMs);
        if (ms !== null) again(ms);
      },
    );
    return () => {
      ending.abort();
      clearTimeout(timer);
      stopWaiting();
    };
  }, [key, asked]);

  const reload = useCallback(() => setAsked((n) => n + 1), []);
  const change = useCallback((next: (data: Reply) => Reply) => setData((old) => (old === null ? old : next(old))), []);
  return { data, error, loading, reload, setData: change };
}
