// A file to be downloaded: a link, so that the browser's own ways with links work too, which the page follows itself,
// to say how far it is and what went wrong.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { sizeText } from '../../ui/format';
import { Banner } from '../../ui/words';
import { asApiError, explain, isAbort, type ApiError } from '../api';
import { keepFile, readFile, type Progress } from '../files';
import { OfficeIcon } from '../icons';
import { t } from '../words';

type State =
  | { at: 'nothing' }
  | { at: 'reading'; what: string; progress: Progress | null }
  | { at: 'kept'; name: string; size: number }
  | { at: 'handed'; what: string }
  | { at: 'failed'; what: string; href: string; error: ApiError };

export interface Download {
  state: State;
  start: (what: string, href: string) => void;
  cancel: () => void;
}

/** One at a time. It ends with the page. */
export function useDownload(): Download {
  const [state, setState] = useState<State>({ at: 'nothing' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = (what: string, href: string) => {
    if (running.current !== null) return;
    const ending = new AbortController();
    running.current = ending;
    setState({ at: 'reading', what, progress: null });
    const doing = async (): Promise<State> => {
      const file = await readFile(href, ending.signal, (progress) => setState({ at: 'reading', what, progress }));
      if (file === null) {
        Object.assign(document.createElement('a'), { href, download: '' }).click();
        return { at: 'handed', what };
      }
      keepFile(file);
      return { at: 'kept', name: file.name, size: file.blob.size };
    };
    doing().catch((error: unknown): State => (isAbort(error) ? { at: 'nothing' } : { at: 'failed', what, href, error: asApiError(error) })).then((next) => {
      running.current = null;
      setState(next);
    });
  };
  return { state, start, cancel: () => running.current?.abort() };
}

interface DownloadLinkProps {
  what: string;
  href: string;
  primary?: boolean;
  download: Download;
}

export function DownloadLink({ what, href, primary = false, download: { state, start } }: DownloadLinkProps) {
  const busy = state.at === 'reading';
  return (
    <a class={primary ? 'button primary' : 'button'} href={href} download aria-disabled={busy ? 'true' : undefined} onClick={(event) => {
      // In another tab, or to be saved under another name: the browser's affair.
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      start(what, href);
    }}><OfficeIcon name="download" small /><span>{what}</span></a>
  );
}

/** What has become of it. The bar's figures are not read out at each step. */
export function DownloadState({ download: { state, start, cancel } }: { download: Download }) {
  return (
    <>
      <div class="download no-print" role="status">
        {state.at === 'reading' && (
          <div class="row">
            <span>{t('file.reading', { what: state.what })}</span>
            <Reading progress={state.progress} />
            <Button kind="bare" onClick={cancel}>{t('do.cancel')}</Button>
          </div>
        )}
        {state.at === 'kept' && <p class="small">{t('file.kept', { name: state.name, size: sizeText(state.size) })}</p>}
        {state.at === 'handed' && <p class="small">{t('file.handed', { what: state.what })}</p>}
      </div>
      {state.at === 'failed' && (
        <Banner tone="bad" title={t('file.failed', { what: state.what })} spoken actions={<Button onClick={() => start(state.what, state.href)}>{t('do.retry')}</Button>}>
          {explain(state.error)}
        </Banner>
      )}
    </>
  );
}

function Reading({ progress }: { progress: Progress | null }) {
  const label = t('file.progress');
  if (progress === null || progress.of === null) {
    return <><progress aria-label={label} />{progress !== null && <span class="small quiet num" aria-hidden="true">{sizeText(progress.done)}</span>}</>;
  }
  return (
    <>
      <progress aria-label={label} value={progress.done} max={Math.max(1, progress.of)} />
      <span class="small quiet num" aria-hidden="true">{sizeText(progress.done)} / {sizeText(progress.of)}</span>
    </>
  );
}
