// Gifts from a quota: places are taken while there is a network, and handed out without.

import { useState } from 'preact/hooks';
import type { RecordKey } from '../../sdk/types';
import type { QuotaValue } from '../../sdk/schema';
import { Button } from '../../ui/button';
import { Stepper } from '../../ui/fields';
import { momentText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { Sheet } from '../../ui/sheet';
import { toast } from '../../ui/toast';
import { Banner, Empty } from '../../ui/words';
import { act } from '../act';
import { device } from '../device';
import { infoOf, text } from '../fields';
import { useRecords, useStatus, type LiveRecord } from '../live';
import { may } from '../may';
import { useNow } from '../now';
import { Screen } from '../parts/screen';

const FIELD = 'places';
const USUAL_LEASE = 10;

function Quota({ record }: { record: LiveRecord }) {
  const status = useStatus();
  const time = useNow();
  const [asking, setAsking] = useState<'spend' | 'lease' | null>(null);
  const [amount, setAmount] = useState(USUAL_LEASE);
  const key: RecordKey = { scope: record.scope, coll: record.coll, id: record.id };
  const title = text(record.fields, 'title') || record.id;
  const value = record.fields[FIELD] as unknown as QuotaValue | undefined;
  const { left, expires } = device().leaseLeft(key, FIELD);
  const expired = expires !== null && expires < time;
  const online = status.connection === 'live';
  const most = infoOf('quota')?.fields[FIELD]?.max_lease ?? 100;
  const own = record.waiting > 0;

  async function move(what: 'lease' | 'spend' | 'return', n: number): Promise<void> {
    setAsking(null);
    if ((await act(key, { [what]: { [FIELD]: n } })) !== null) toast(t(`gift.${what}`, { title, n }));
  }

  return (
    <section class="card">
      <h2>{title}</h2>
      <div class="gift-left">
        <span>{t('gift.left')}</span>
        <b>{left}</b>
        <span class="small">{expires === null || left === 0 ? t('gift.none') : t(expired ? 'gift.expired' : 'gift.until', { time: momentText(expires, time) })}</span>
      </div>
      {may('quota', 'spend') ? (
        <>
          <Button kind="primary" icon="gift" wide off={left < 1 || expired} onClick={() => setAsking('spend')}>{t('gift.hand_out')}</Button>
          <div class="row stretch">
            <Button off={!online} onClick={() => setAsking('lease')}>{t('gift.take')}</Button>
            <Button off={left < 1} onClick={() => void move('return', left)}>{t('gift.give_back', { n: left })}</Button>
          </div>
        </>
      ) : (
        <p class="quiet note">{t('gift.not_allowed')}</p>
      )}
      {!online && <p class="quiet note">{t('gift.offline')}</p>}
      {own && <p class="quiet note">{t('gift.waiting', { n: record.waiting })}</p>}
      {value !== undefined && (
        <dl class="facts num">
          <dt>{t('gift.granted')}</dt>
          <dd>{value.granted}</dd>
          <dt>{t('gift.spent')}</dt>
          <dd>{value.spent}</dd>
          <dt>{t('gift.free')}</dt>
          <dd>{value.free}</dd>
        </dl>
      )}
      {asking === 'spend' && (
        <Sheet title={t('gift.sure', { title })} onClose={() => setAsking(null)}>
          <p>{t('gift.sure_more', { n: left - 1 })}</p>
          <Button kind="primary" wide onClick={() => void move('spend', 1)}>{t('gift.handed')}</Button>
          <Button wide onClick={() => setAsking(null)}>{t('do.cancel')}</Button>
        </Sheet>
      )}
      {asking === 'lease' && (
        <Sheet title={t('gift.take_title', { title })} onClose={() => setAsking(null)}>
          <p class="quiet">{t('gift.take_more')}</p>
          <Stepper label={t('gift.how_many')} value={amount} min={1} max={Math.max(1, Math.min(most, value?.free ?? most))} onChange={setAmount} />
          <Button kind="primary" wide onClick={() => void move('lease', amount)}>{t('gift.take_do', { n: amount })}</Button>
        </Sheet>
      )}
    </section>
  );
}

export function GiftsPage({ scope }: { scope: string }) {
  const quotas = useRecords('quota', scope);
  const list = [...quotas.records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return (
    <Screen title={t('station.gifts')} up={{ page: 'home' }}>
      {list.length === 0 && (
        <Empty icon="gift" title={t('gift.empty')}>
          <p class="quiet">{t('gift.empty_do')}</p>
        </Empty>
      )}
      {list.length > 0 && <Banner tone="plain" icon="gift" title={t('gift.how')}><p>{t('gift.how_more')}</p></Banner>}
      {list.map((record) => <Quota key={record.id} record={record} />)}
    </Screen>
  );
}
