// Where in the app the user is: the part of the address behind "#", so that it works whatever the server
// does with paths, and the phone's back button goes back.

import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { page: 'home' }
  | { page: 'enroll'; code?: string }
  | { page: 'event' | 'site' | 'scan' | 'walkin' | 'closing'; scope: string; id: string }
  | { page: 'gifts' | 'figures' | 'shift'; scope: string }
  | { page: 'sync' | 'handover' | 'about' };

const ofEvent = ['event', 'site', 'scan', 'walkin', 'closing'] as const;
const ofStation = ['gifts', 'figures', 'shift'] as const;
const plain = ['sync', 'handover', 'about'] as const;

function oneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  let parts: string[];
  try {
    parts = path.split('/').map(decodeURIComponent);
  } catch {
    return { page: 'home' };
  }
  const [page = '', scope, id] = parts;
  if (page === 'enroll') {
    const code = new URLSearchParams(query).get('code');
    return code === null ? { page } : { page, code };
  }
  if (oneOf(ofEvent, page) && scope && id) return { page, scope, id };
  if (oneOf(ofStation, page) && scope) return { page, scope };
  return oneOf(plain, page) ? { page } : { page: 'home' };
}

export function routeText(route: Route): string {
  const parts: string[] = [route.page === 'home' ? '' : route.page];
  if ('scope' in route) parts.push(encodeURIComponent(route.scope));
  if ('id' in route) parts.push(encodeURIComponent(route.id));
  const query = route.page === 'enroll' && route.code !== undefined ? `?code=${encodeURIComponent(route.code)}` : '';
  return `#/${parts.join('/')}${query}`;
}

let depth = 0;

export function go(route: Route): void {
  ++depth;
  location.hash = routeText(route);
}

/** In place of the page on show: what is left behind is not come back to. */
export function replace(route: Route): void {
  history.replaceState(null, '', routeText(route));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The page before this one, or `otherwise` where the app was opened here. */
export function back(otherwise: Route): void {
  if (depth > 0) {
    --depth;
    history.back();
  } else {
    replace(otherwise);
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const read = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return route;
}
