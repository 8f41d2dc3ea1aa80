// Behind the sync line: each edit that waits in words, each that was refused with its reason, what lost to
// another, and what is done about it.

import { useState } from 'preact/hooks';
import type { OwnOp } from '../../sdk/types';
import { Button } from '../../ui/button';
import { momentText } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { currentLang, setLang, t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Banner, Empty, Tag } from '../../ui/words';
import { codeOf, explain, isStorageFull } from '../act';
import { device } from '../device';
import { useStatus } from '../live';
import { useNow } from '../now';
import { useSyncWords } from '../parts/sync_line';
import { Screen } from '../parts/screen';
import { usePhotoSums } from '../photos';
import { go } from '../router';
import { describe, fieldName, refusalText } from '../words';

const SHOWN = 100;

function opTime(own: OwnOp, time: number): string {
  return own.op.lost === true ? '' : momentText(own.op.wall, time);
}

function Waiting({ ops, time }: { ops: OwnOp[]; time: number }) {
  const [all, setAll] = useState(false);
  const shown = all ? ops : ops.slice(0, SHOWN);
  return (
    <section class="card">
      <h2>{t('sync.list_waiting', { n: ops.length })}</h2>
      <ul class="rows">
        {shown.map((own) => (
          <li class="entry" key={own.op.n}>
            <span>{describe(own.op)}</span>
            <span class="when num">{opTime(own, time)} · {t(own.state === 'sent' ? 'sync.op_sent' : 'sync.op_waits')}</span>
          </li>
        ))}
      </ul>
      {shown.length < ops.length && <Button onClick={() => setAll(true)}>{t('station.all', { n: ops.length })}</Button>}
    </section>
  );
}

function Refused({ ops, time }: { ops: OwnOp[]; time: number }) {
  return (
    <section class="card">
      <h2>{t('sync.list_refused', { n: ops.length })}</h2>
      <p class="quiet note">{t('sync.refused_kept')}</p>
      <ul class="rows">
        {ops.map((own) => {
          const { why, todo } = refusalText(own.refused?.code ?? '');
          return (
            <li class="entry" key={own.op.n}>
              <strong>{describe(own.op)}</strong>
              <span class="when num">{opTime(own, time)}</span>
              <span>{why}</span>
              <span>{todo}</span>
              {own.refused !== undefined && (
                <details>
                  <summary class="small quiet">{t('sync.technical')}</summary>
                  <code class="small">{own.refused.code} {own.refused.detail}</code>
                </details>
              )}
              <span class="row">
                <Button onClick={() => void device().putAway(own.op.n)}>{t('sync.put_away')}</Button>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Lost({ ops, time }: { ops: OwnOp[]; time: number }) {
  return (
    <section class="card">
      <h2>{t('sync.list_lost', { n: ops.length })}</h2>
      <p class="quiet note">{t('sync.lost_more')}</p>
      <ul class="rows">
        {ops.map((own) => (
          <li class="entry" key={own.op.n}>
            <span>{describe(own.op)}</span>
            <span class="when num">
              {opTime(own, time)} · {own.op.lost === true ? '' : (own.lost ?? []).map((field) => fieldName(own.op.lost === true ? '' : own.op.coll, field)).join(t('op.and'))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Photos() {
  const { all, present } = usePhotoSums();
  if (all === 0) return null;
  return (
    <section class="card">
      <div class="head-row">
        <h2>{t('photos.title')}</h2>
        <span class="num">{t('photos.present', { n: present, m: all })}</span>
      </div>
      <div class="progress"><i style={{ transform: `scaleX(${present / all})` }} /></div>
      <p class="quiet note">{t(present === all ? 'photos.all_there' : 'photos.wait')}</p>
    </section>
  );
}

function SyncNow() {
  const [busy, setBusy] = useState(false);
  async function run(): Promise<void> {
    setBusy(true);
    try {
      await device().syncNow();
      toast(t('sync.now_done'));
    } catch (error) {
      toast(explain(codeOf(error)));
    } finally {
      setBusy(false);
    }
  }
  return <Button kind="primary" icon="sync" wide busy={busy} onClick={() => void run()}>{t('sync.now')}</Button>;
}

export function SyncPage() {
  const status = useStatus();
  const time = useNow();
  const words = useSyncWords();
  const ops = device().ownOps();
  const waiting = ops.filter((own) => own.state === 'waiting' || own.state === 'sent');
  const refused = ops.filter((own) => own.state === 'refused');
  const lost = ops.filter((own) => own.lost !== undefined && own.lost.length > 0);
  const tone = words.tone === 'good' || words.tone === 'bad' || words.tone === 'wait' ? words.tone : 'plain';
  return (
    <Screen title={t('sync.title')} up={{ page: 'home' }}>
      <Banner tone={tone} icon={words.icon} title={words.main}>
        <p>{words.tone === 'bad' && !isStorageFull() ? t('sync.see_below') : words.detail}</p>
      </Banner>
      {status.backedUp === null && status.last > 0 && status.waiting === 0 && <p class="quiet note">{t('sync.no_backup_more')}</p>}
      <SyncNow />
      {refused.length > 0 && <Refused ops={refused} time={time} />}
      {waiting.length > 0 && <Waiting ops={waiting} time={time} />}
      {lost.length > 0 && <Lost ops={lost} time={time} />}
      <Photos />
      {refused.length + waiting.length + lost.length === 0 && (
        <Empty icon="arrived" title={t('sync.nothing_waits')}>
          <p class="quiet">{t('sync.nothing_waits_more')}</p>
        </Empty>
      )}
      <ul class="menu">
        <li>
          <button type="button" onClick={() => go({ page: 'handover' })}>
            <Icon name="share" /><span>{t('hand.title')}</span><Icon name="next" small />
          </button>
        </li>
        <li>
          <button type="button" onClick={() => go({ page: 'about' })}>
            <Icon name="phone" /><span>{t('about.title')}</span><Icon name="next" small />
          </button>
        </li>
        <li>
          <button type="button" onClick={() => setLang(currentLang() === 'zh' ? 'en' : 'zh')}>
            <Icon name="language" />
            <span lang={currentLang() === 'zh' ? 'en' : 'zh-CN'}>{currentLang() === 'zh' ? 'English' : '中文'}</span>
            <Icon name="next" small />
          </button>
        </li>
      </ul>
      {status.persistent === false && (
        <Banner tone="wait" title={t('about.not_persistent')}><p>{t('about.not_persistent_do')}</p></Banner>
      )}
      <p class="row"><Tag>{t('sync.number', { n: status.applied, m: status.last })}</Tag></p>
    </Screen>
  );
}
