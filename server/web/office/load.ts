// What a page shows of the server: read when it is opened, when what it depends on changes, on demand, and
// again by itself where the server has said when.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api';
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

interface LoadOptions<Reply> {
  /** Reads again after so long; where the answer says how eagerly, by the answer. */
  everyMs?: number | ((data: Reply) => number);
  /** Whether the old answer stays on show while that for another key is on its way. */
  keep?: boolean;
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
        setError(fault instanceof ApiError ? fault : new ApiError('internal', 0, String(fault)));
        if (fault instanceof ApiError && fault.status === 503) again(fault.retryAfterMs ?? BUSY_MS);
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
