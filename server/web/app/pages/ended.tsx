// When this phone's work has ended: shut out, to be wiped, or wiped.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { t } from '../../ui/i18n';
import { Banner, Empty } from '../../ui/words';
import { codeOf, explain } from '../act';
import { device } from '../device';
import { useStatus } from '../live';
import { LanguageSwitch } from '../../ui/language_switch';
import { HandoverPage } from './handover';
import { EnrollPage } from './enroll';

export function EndedPage({ standing }: { standing: 'closed' | 'wiping' | 'wiped' }) {
  const status = useStatus();
  const [shown, setShown] = useState<'ended' | 'hand' | 'enroll'>('ended');
  const [wrong, setWrong] = useState<string | null>(null);
  if (shown === 'hand') return <HandoverPage />;
  if (shown === 'enroll') return <EnrollPage />;
  const again = () => device().syncNow().catch((error: unknown) => setWrong(explain(codeOf(error))));
  return (
    <div class="frame">
      <main class="frame-body" tabIndex={0}>
        <div class="page">
          <div class="head-row"><span /><LanguageSwitch /></div>
          <Empty icon={standing === 'wiped' ? 'check' : 'stop'} title={t(`ended.${standing}`)}>
            <p class="quiet">{t(`ended.${standing}_do`)}</p>
            {standing === 'wiping' && <p>{t('ended.wiping_waits', { n: status.waiting })}</p>}
            {standing === 'closed' && status.waiting > 0 && <p>{t('ended.closed_waits', { n: status.waiting })}</p>}
            {standing === 'closed' && status.waiting > 0 && <Button icon="share" onClick={() => setShown('hand')}>{t('hand.title')}</Button>}
            {standing !== 'wiped' && <Button icon="sync" onClick={() => void again()}>{t('ended.again')}</Button>}
            {standing === 'wiped' && <Button kind="primary" icon="scan" onClick={() => setShown('enroll')}>{t('ended.enroll')}</Button>}
          </Empty>
          {wrong !== null && <Banner tone="wait" title={wrong} spoken />}
        </div>
      </main>
    </div>
  );
}
