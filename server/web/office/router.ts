// Where in the office the user is: "#/page/part/part?key=value", so that every list with its filters is an
// address that can be sent to a colleague.

import { useEffect, useState } from 'preact/hooks';

export interface Place {
  page: string;
  parts: string[];
  query: URLSearchParams;
}

export type Query = Record<string, string | number | undefined>;

export function parsePlace(hash: string): Place {
  const [path = '', ...rest] = hash.replace(/^#?\/?/, '').split('?');
  try {
    const [page = '', ...parts] = path.split('/').map(decodeURIComponent);
    return { page, parts, query: new URLSearchParams(rest.join('?')) };
  } catch {
    return { page: '', parts: [], query: new URLSearchParams() };
  }
}

/** The address of a place; what is empty or undefined in `query` is left out. */
export function placeText(page: string, parts: readonly string[] = [], query: Query | URLSearchParams = {}): string {
  const pairs = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const said = new URLSearchParams();
  for (const [key, value] of pairs) if (value !== undefined && value !== '') said.append(key, String(value));
  const text = said.toString();
  return `#/${[page, ...parts].map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function go(hash: string): void {
  location.hash = hash;
}

/** In place of the page on show: "back" does not come here again. */
export function replace(hash: string): void {
  history.replaceState(null, '', hash);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** Changes some of the query of the place on show; a filter is no new page for "back". */
export function changeQuery(changes: Query): void {
  const { page, parts, query } = parsePlace(location.hash);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, String(value));
  }
  replace(placeText(page, parts, query));
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = () => setHash(location.hash);
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return parsePlace(hash);
}
