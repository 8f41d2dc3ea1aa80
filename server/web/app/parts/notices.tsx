// What the user has to know whatever page is open: each with a sentence of what to do.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { spanText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { Banner } from '../../ui/words';
import { explain, isStorageFull } from '../act';
import { useStatus } from '../live';
import { clockOff } from '../now';
import { go } from '../router';
import { useOtherTab } from '../tabs';
import { takeUpdate, useUpdate } from '../update';

const RESTART = new Set(['version.unsupported']);

function Update() {
  const update = useUpdate();
  const [refused, setRefused] = useState(false);
  if (!update) return null;
  return (
    <Banner
      tone="good"
      icon="sync"
      title={t('update.ready')}
      actions={<Button kind="soft" onClick={() => setRefused(!takeUpdate())}>{t('update.take')}</Button>}
    >
      <p>{t(refused ? 'update.later' : 'update.safe')}</p>
    </Banner>
  );
}

/** Whether the server has been out of reach for long enough to say so. */
function useUnreachable(trouble: string | null): boolean {
  const [long, setLong] = useState(false);
  useEffect(() => {
    setLong(false);
    if (trouble === null) return undefined;
    const timer = setTimeout(() => setLong(true), 20_000);
    return () => clearTimeout(timer);
  }, [trouble === null]);
  return long && navigator.onLine;
}

export function Notices() {
  const status = useStatus();
  const other = useOtherTab();
  const skew = clockOff();
  const unreachable = useUnreachable(status.connection === 'offline' ? (status.trouble ?? 'offline') : null);
  const toSync = <Button kind="plain" onClick={() => go({ page: 'handover' })}>{t('notice.hand_over')}</Button>;
  return (
    <div class="banners">
      <Update />
      {isStorageFull() && (
        <Banner tone="bad" title={t('notice.full')} actions={toSync} spoken>
          <p>{t('notice.full_do')}</p>
        </Banner>
      )}
      {status.standing === 'draining' && (
        <Banner tone="wait" title={t('notice.draining')} icon="inbox">
          <p>{status.waiting > 0 ? t('notice.draining_waits', { n: status.waiting }) : t('notice.draining_done')}</p>
        </Banner>
      )}
      {status.stopped !== null && status.standing === 'active' && (
        <Banner
          tone="bad"
          title={t('notice.stopped')}
          actions={
            RESTART.has(status.stopped) ? (
              <Button onClick={() => location.reload()}>{t('notice.reload')}</Button>
            ) : (
              status.waiting > 0 && toSync
            )
          }
        >
          <p>{explain(status.stopped)}</p>
        </Banner>
      )}
      {unreachable && status.stopped === null && (
        <Banner tone="wait" title={t('notice.unreachable')} icon="offline">
          <p>{t('notice.unreachable_do')}</p>
        </Banner>
      )}
      {skew !== 0 && (
        <Banner tone="wait" icon="clock" title={t(skew > 0 ? 'notice.slow' : 'notice.fast', { span: spanText(skew) })}>
          <p>{t('notice.clock_do')}</p>
        </Banner>
      )}
      {other && (
        <Banner tone="plain" title={t('notice.tabs')}>
          <p>{t('notice.tabs_do')}</p>
        </Banner>
      )}
    </div>
  );
}
