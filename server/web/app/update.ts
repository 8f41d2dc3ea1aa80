// The service worker: the app opens without any network, and a newer version waits until the user takes it.
// It is never taken while an edit is being kept or a form is half filled in.

import { useEffect, useState } from 'preact/hooks';
import { editsBeingSaved } from './live';

let waiting: ServiceWorker | null = null;
let taking = false;
let drafts = 0;
const listeners = new Set<() => void>();

function found(worker: ServiceWorker): void {
  waiting = worker;
  for (const listener of listeners) listener();
}

export function startUpdates(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker
    .register(`${import.meta.env.BASE_URL}sw.js`)
    .then((registration) => {
      if (registration.waiting !== null && navigator.serviceWorker.controller !== null) found(registration.waiting);
      registration.addEventListener('updatefound', () => {
        const worker = registration.installing;
        worker?.addEventListener('statechange', () => {
          if (worker.state === 'installed' && navigator.serviceWorker.controller !== null) found(worker);
        });
      });
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') registration.update().catch(() => undefined);
      });
    })
    // Without a service worker the app works while there is a network.
    .catch(() => undefined);
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (taking) location.reload();
  });
}

/** False, and nothing done, while something would be lost by it. */
export function takeUpdate(): boolean {
  if (waiting === null || drafts > 0 || editsBeingSaved() > 0) return false;
  taking = true;
  waiting.postMessage({ type: 'SKIP_WAITING' });
  return true;
}

/** Says that what the user has typed here is nowhere else yet. */
export function useDraft(unsaved: boolean): void {
  useEffect(() => {
    if (!unsaved) return undefined;
    ++drafts;
    return () => {
      --drafts;
    };
  }, [unsaved]);
}

export function useUpdate(): boolean {
  const [ready, setReady] = useState(waiting !== null);
  useEffect(() => {
    const read = () => setReady(waiting !== null);
    listeners.add(read);
    read();
    return () => {
      listeners.delete(read);
    };
  }, []);
  return ready;
}
