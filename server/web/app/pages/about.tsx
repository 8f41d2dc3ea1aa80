// This phone: its name and place, its storage, its clock, and leaving.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { momentText, sizeText, spanText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { Sheet } from '../../ui/sheet';
import { Banner } from '../../ui/words';
import { codeOf, explain } from '../act';
import { device } from '../device';
import { text } from '../fields';
import { useRecords, useStatus } from '../live';
import { roleName } from '../may';
import { CLOCK_LIMIT_MS, useNow } from '../now';
import { LanguageSwitch } from '../../ui/language_switch';
import { Screen } from '../parts/screen';
import { replace, go } from '../router';

function Storage({ persistent }: { persistent: boolean | null }) {
  const [used, setUsed] = useState<StorageEstimate | null>(null);
  useEffect(() => {
    navigator.storage?.estimate().then(setUsed, () => undefined);
  }, []);
  return (
    <section class="card">
      <h2>{t('about.storage')}</h2>
      <dl class="facts num">
        <dt>{t('about.used')}</dt>
        <dd>{used?.usage === undefined ? '—' : t('about.used_of', { n: sizeText(used.usage), m: sizeText(used.quota ?? 0) })}</dd>
        <dt>{t('about.kept')}</dt>
        <dd>{persistent === null ? '—' : t(persistent ? 'about.persistent' : 'about.may_go')}</dd>
      </dl>
      {persistent === false && <Banner tone="wait" title={t('about.not_persistent')}><p>{t('about.not_persistent_do')}</p></Banner>}
    </section>
  );
}

function SignOut({ onClose }: { onClose: () => void }) {
  const { waiting } = useStatus();
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  async function leave(discard: boolean): Promise<void> {
    setBusy(true);
    try {
      await device().signOut(discard ? { discard } : {});
      onClose();
      replace({ page: 'home' });
    } catch (error) {
      setWrong(explain(codeOf(error)));
    } finally {
      setBusy(false);
    }
  }
  return (
    <Sheet title={t('out.title')} onClose={onClose}>
      <p>{waiting > 0 ? t('out.waits', { n: waiting }) : t('out.clean')}</p>
      {wrong !== null && (
        <Banner tone="bad" title={t('out.failed')} spoken actions={<Button onClick={() => { onClose(); go({ page: 'handover' }); }}>{t('notice.hand_over')}</Button>}>
          <p>{wrong}</p>
        </Banner>
      )}
      <Button kind="primary" wide busy={busy} onClick={() => void leave(false)}>{t(waiting > 0 ? 'out.send_and_go' : 'out.go')}</Button>
      {wrong !== null && waiting > 0 && <Button kind="danger" wide busy={busy} onClick={() => void leave(true)}>{t('out.discard', { n: waiting })}</Button>}
      <Button wide onClick={onClose}>{t('do.cancel')}</Button>
    </Sheet>
  );
}

export function AboutPage() {
  const status = useStatus();
  const time = useNow();
  const scopes = useRecords('scope');
  const [leaving, setLeaving] = useState(false);
  const names = device().scopes.map((id) => {
    const record = [...scopes.records.values()].find((scope) => scope.scope === id);
    return (record && text(record.fields, 'title')) || (id === '*' ? t('about.all_scopes') : id);
  });
  const skew = status.skew;
  return (
    <Screen title={t('about.title')} up={{ page: 'sync' }} actions={<LanguageSwitch />}>
      <section class="card">
        <h2>{t('about.device')}</h2>
        <dl class="facts num">
          <dt>{t('about.id')}</dt>
          <dd>{status.device ?? '—'}</dd>
          <dt>{t('about.role')}</dt>
          <dd>{roleName()}</dd>
          <dt>{t('about.contact')}</dt>
          <dd>{status.lastContact === null ? '—' : momentText(status.lastContact, time)}</dd>
          <dt>{t('about.clock')}</dt>
          <dd>{skew === null ? '—' : Math.abs(skew) <= CLOCK_LIMIT_MS ? t('about.clock_right') : t(skew > 0 ? 'notice.slow' : 'notice.fast', { span: spanText(skew) })}</dd>
          <dt>{t('about.version')}</dt>
          <dd>{__APP_VERSION__}</dd>
        </dl>
      </section>
      <section class="card">
        <h2>{t('about.scopes', { n: names.length })}</h2>
        <p class="quiet">{names.slice(0, 30).join(t('op.and'))}{names.length > 30 ? '…' : ''}</p>
      </section>
      <Storage persistent={status.persistent} />
      <section class="card">
        <h2>{t('about.install')}</h2>
        <p class="quiet">{t('about.install_more')}</p>
      </section>
      <Button kind="danger" icon="out" wide onClick={() => setLeaving(true)}>{t('out.title')}</Button>
      {leaving && <SignOut onClose={() => setLeaving(false)} />}
    </Screen>
  );
}
