// Whether somebody is at the page. Reading again and again would keep a session alive for ever at a desk that
// everybody has left; so it pauses then, and the session ends by itself, as the server means it to.

const IDLE_MS = 10 * 60_000;

let touched = Date.now();
const waiting = new Set<() => void>();

function isPresent(): boolean {
  return document.visibilityState === 'visible' && Date.now() - touched < IDLE_MS;
}

function touch(): void {
  touched = Date.now();
  if (document.visibilityState !== 'visible') return;
  const goOn = [...waiting];
  waiting.clear();
  for (const run of goOn) run();
}

/** Begins to watch; once, at the start. */
export function watchPresence(): void {
  for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'focus']) addEventListener(kind, touch, { passive: true, capture: true });
  document.addEventListener('visibilitychange', touch);
}

/** Runs now, or when somebody is back. Gives what takes that back. */
export function whenPresent(run: () => void): () => void {
  if (isPresent()) {
    run();
    return () => undefined;
  }
  waiting.add(run);
  return () => waiting.delete(run);
}
