// A photo as the server has it. It is sent as an attachment to whoever may read its record, so the page fetches
// it and shows it from memory.

import { useEffect, useState } from 'preact/hooks';
import { withQuery } from '../api';
import type { RecordRow } from '../types';
import { text } from '../field_text';
import { t } from '../words';

export function Photo({ row }: { row: RecordRow }) {
  const [shown, setShown] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  const sha = text(row.fields, 'blob');
  useEffect(() => {
    const ending = new AbortController();
    let made: string | null = null;
    fetch(withQuery(`/v1/blobs/${sha}`, { scope: row.scope, id: row.id }), { signal: ending.signal, credentials: 'same-origin' })
      .then(async (response) => {
        if (!response.ok) return setMissing(true);
        made = URL.createObjectURL(await response.blob());
        setShown(made);
      })
      .catch(() => !ending.signal.aborted && setMissing(true));
    return () => {
      ending.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [sha, row.scope, row.id]);
  if (missing) return <p class="photo-missing small quiet">{t('photo.missing')}</p>;
  if (shown === null) return <p class="photo-missing small quiet">{t('table.loading')}</p>;
  return <a class="photo" href={shown} target="_blank"><img src={shown} alt={text(row.fields, 'note') || t('photo.one')} /></a>;
}
