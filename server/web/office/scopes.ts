// What scopes are called. Titles are read one by one as they are shown, and kept while the page is open.

import { useEffect, useState } from 'preact/hooks';
import { get, inTurn } from './api';
import { t } from './words';
import type { RecordRow } from './types';

export interface Scope {
  id: string;
  title: string;
}

export const EVERYWHERE = '*';
const FOUND_AT_MOST = 20;

const TITLES_AT_ONCE = 1;
const oneOfFew = inTurn(TITLES_AT_ONCE);
const titles = new Map<string, Promise<string>>();

function titleOf(row: RecordRow): string {
  const title = row.fields?.title;
  return typeof title === 'string' && title !== '' ? title : row.scope;
}

/** The title of a scope, or its id where it has none or may not be read. */
export function scopeTitle(id: string): Promise<string> {
  let known = titles.get(id);
  if (known === undefined) {
    known = oneOfFew(() => get<{ records: RecordRow[] }>('/v1/records', { scope: id, coll: 'scope', id: id.replaceAll('/', '-') }))
      .then(({ records }) => (records[0] === undefined ? id : titleOf(records[0])))
      .catch(() => {
        titles.delete(id);
        return id;
      });
    titles.set(id, known);
  }
  return known;
}

export function useScopeTitle(id: string): string {
  const [title, setTitle] = useState(id);
  useEffect(() => {
    if (id === EVERYWHERE) return undefined;
    let ended = false;
    void scopeTitle(id).then((known) => !ended && setTitle(known));
    return () => {
      ended = true;
    };
  }, [id]);
  return id === EVERYWHERE ? t('scope.all') : title;
}

export async function searchScopes(q: string, signal: AbortSignal): Promise<Scope[]> {
  const reply = await get<{ rows: RecordRow[] }>('/v1/lists/scope', { q, sort: 'scope', limit: FOUND_AT_MOST }, signal);
  return reply.rows.map((row) => ({ id: row.scope, title: titleOf(row) }));
}
