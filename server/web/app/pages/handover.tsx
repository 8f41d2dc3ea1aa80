// A phone without Internet gives its day to another: the queue as a file, and reading one.

import { useRef, useState } from 'preact/hooks';
import type { Json } from '../../sdk/types';
import { Button } from '../../ui/button';
import { dayOf } from '../../ui/format';
import { t } from '../../ui/i18n';
import { Banner, Tag } from '../../ui/words';
import { codeOf, explain } from '../act';
import { device } from '../device';
import { useStatus } from '../live';
import { now } from '../now';
import { Screen } from '../parts/screen';

const MOST_BYTES = 64 * 1024 * 1024;

interface Outcome {
  good: boolean;
  title: string;
  more: string;
}

function save(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function fileOfQueue(): Promise<File> {
  const queue = await device().exportQueue();
  const name = `waystation-${device().status().device ?? ''}-${dayOf(now())}.json`;
  return new File([JSON.stringify(queue)], name, { type: 'application/json' });
}

/** What this phone carries for others, and what has come of it. */
function Carried() {
  const carried = device().carried();
  if (carried.length === 0) return null;
  return (
    <section class="card">
      <h2>{t('hand.carried')}</h2>
      <ul class="rows">
        {carried.map((one) => (
          <li class="entry" key={one.device}>
            <strong>{t('hand.carried_of', { device: one.device })}</strong>
            <span class="row">
              {one.waiting > 0 && <Tag tone="wait" icon="clock">{t('hand.carried_waits', { n: one.waiting })}</Tag>}
              {one.applied > 0 && <Tag tone="good" icon="check">{t('hand.carried_done', { n: one.applied })}</Tag>}
            </span>
            {one.refused.length > 0 && <span>{t('hand.carried_refused', { n: one.refused.length })}</span>}
            {one.trouble !== null && <span class="quiet">{explain(one.trouble)}</span>}
            {one.waiting === 0 && (
              <span class="row">
                <Button onClick={() => void device().forgetCarried(one.device)}>{t('hand.carried_forget')}</Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function HandoverPage() {
  const status = useStatus();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const canShare = 'canShare' in navigator;

  async function run(task: () => Promise<Outcome | null>): Promise<void> {
    setBusy(true);
    try {
      setOutcome(await task());
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return;
      const bad = error instanceof SyntaxError ? t('hand.not_ours') : explain(codeOf(error));
      setOutcome({ good: false, title: t('hand.failed'), more: bad });
    } finally {
      setBusy(false);
    }
  }

  const give = (share: boolean) =>
    run(async () => {
      const file = await fileOfQueue();
      if (share && navigator.canShare({ files: [file] })) await navigator.share({ files: [file], title: t('hand.file_title') });
      else save(file);
      return { good: true, title: t('hand.given', { n: status.waiting }), more: t('hand.given_more') };
    });

  const take = (file: File) =>
    run(async () => {
      if (file.size > MOST_BYTES) return { good: false, title: t('hand.failed'), more: t('hand.not_ours') };
      const n = await device().importQueue(JSON.parse(await file.text()) as Json);
      return { good: true, title: t('hand.taken', { n }), more: t('hand.taken_more') };
    });

  return (
    <Screen title={t('hand.title')} up={{ page: 'sync' }}>
      {outcome !== null && (
        <Banner tone={outcome.good ? 'good' : 'bad'} title={outcome.title} spoken><p>{outcome.more}</p></Banner>
      )}
      <section class="card">
        <h2>{t('hand.give')}</h2>
        <p class="quiet">{t('hand.give_more')}</p>
        {status.waiting === 0 ? (
          <p>{t('hand.nothing')}</p>
        ) : (
          <div class="row stretch">
            {canShare && <Button kind="primary" icon="share" busy={busy} onClick={() => void give(true)}>{t('hand.share')}</Button>}
            <Button kind={canShare ? 'plain' : 'primary'} icon="inbox" busy={busy} onClick={() => void give(false)}>{t('hand.save', { n: status.waiting })}</Button>
          </div>
        )}
      </section>
      <section class="card">
        <h2>{t('hand.take')}</h2>
        <p class="quiet">{t('hand.take_more')}</p>
        <input
          ref={input}
          type="file"
          accept="application/json,.json"
          hidden
          aria-label={t('hand.choose')}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file !== undefined) void take(file);
            event.currentTarget.value = '';
          }}
        />
        <Button icon="inbox" busy={busy} onClick={() => input.current?.click()}>{t('hand.choose')}</Button>
      </section>
      <Carried />
      <Banner tone="plain" title={t('hand.private')}><p>{t('hand.private_more')}</p></Banner>
    </Screen>
  );
}
