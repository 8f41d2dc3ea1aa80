// Who is signed in. The cookie is the browser's affair; here stand the name, the role and the token that
// changes must carry.

import { useEffect, useState } from 'preact/hooks';
import { toast } from '../ui/toast';
import { ApiError, asApiError, request, setGate } from './api';
import { t } from './words';
import { tellZone } from './zone';

export interface Session {
  name: string;
  display: string;
  role: 'office' | 'administrator';
  csrf: string;
  second_factor: boolean;
  /** In which the server counts days; absent where it counts none. */
  zone?: string;
  expires: number;
}

/** `null`: nobody is signed in; `undefined`: not known yet. */
let current: Session | null | undefined;
/** Whoever waits for a sign-in over the page, with what they go on with. */
let waiting: { done: () => void }[] = [];
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function take(session: Session | null): void {
  const before = current?.name ?? session?.name;
  current = session;
  if (session !== null) {
    if (session.zone !== undefined) tellZone(session.zone);
    const goOn = waiting;
    waiting = [];
    for (const { done } of goOn) done();
    // Its page may be none that the other is offered, and go with what it had to say.
    if (session.name !== before) toast(t('session.other', { name: session.name }));
  }
  tell();
}

export function session(): Session {
  if (current === null || current === undefined) throw new Error('nobody is signed in');
  return current;
}

export function isAdministrator(): boolean {
  return current?.role === 'administrator';
}

export interface SessionState {
  session: Session | null | undefined;
  /** The session has ended while the page is open: a sign-in is asked for over it. */
  ended: boolean;
}

export function useSession(): SessionState {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return { session: current, ended: waiting.length > 0 };
}

export async function startSession(): Promise<void> {
  setGate({
    name: () => current?.name ?? '',
    csrf: () => current?.csrf ?? '',
    signInAgain: () =>
      new Promise((done) => {
        waiting.push({ done });
        tell();
      }),
    refresh: readSession,
  });
  if (!(await readSession())) take(null);
}

/** Whether somebody is signed in, as the server says. */
export async function readSession(): Promise<boolean> {
  try {
    take(await request<Session>('GET', '/v1/session', { open: true }));
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}

/** Throws `auth.sign_in`, `auth.second_factor` (ask for the code), `auth.slow_down`. */
export async function signIn(name: string, password: string, code: string): Promise<void> {
  const body = { name, password, ...(code !== '' && { code }) };
  take(await request<Session>('POST', '/v1/session', { body, open: true }));
}

/** Ends one's own session. Where another tab has begun another one for the same person, that is the one; where it
 *  was begun by somebody else, one's own has ended, theirs is left to them, and the page says so. Throws what the
 *  server says against it, and `away`: then one is still signed in. */
export async function signOut(): Promise<void> {
  const name = current?.name;
  for (let again = false; ; again = true) {
    try {
      await request('DELETE', '/v1/session', { open: true });
      return forget();
    } catch (error) {
      const { status, code } = asApiError(error);
      // It had ended by itself.
      if (status === 401) return forget();
      if (code !== 'auth.csrf' || again) throw error;
      if (!(await readSession())) return forget();
      if (current?.name !== name) return;
    }
  }
}

/** Leaves what is on show to whoever signs in next: nothing of it stays. */
export function forget(): void {
  location.hash = '';
  location.reload();
}
