// What happened to a record, the newest first: who did what, when they wrote it and when it came in.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { spanText } from '../../ui/format';
import { Banner } from '../../ui/words';
import type { RecordKey } from '../../sdk/types';
import { explain, get } from '../api';
import { THE_SERVER, useDeviceNames } from '../device_names';
import { useLoad } from '../load';
import { fieldOf } from '../names';
import { opLines } from '../op_text';
import { placeText } from '../router';
import type { HistoryReply, HistoryStep } from '../types';
import { t } from '../words';
import { Waiting } from './table';
import { absoluteText, When } from './time';

const PART = 200;
/** Beyond these the earliest are shown, and it is said that there are more. */
const MOST_PARTS = 10;
const SHOWN_FIRST = 12;
const SHOWN_MORE = 50;
/** What came in sooner was written there and then, as far as anybody cares. */
const LATE_MS = 120_000;

interface Past {
  steps: HistoryStep[];
  more: boolean;
}

async function readHistory(key: RecordKey, signal: AbortSignal): Promise<Past> {
  const steps: HistoryStep[] = [];
  let after: string | undefined;
  for (let part = 0; part < MOST_PARTS; part++) {
    const { scope, coll, id } = key;
    const reply: HistoryReply = await get<HistoryReply>('/v1/history', { scope, coll, id, limit: PART, after }, signal);
    steps.push(...reply.history);
    if (!reply.next) return { steps: steps.reverse(), more: false };
    after = reply.next;
  }
  return { steps: steps.reverse(), more: true };
}

export function Writer({ device, name }: { device: string; name: string }) {
  const names = useDeviceNames();
  if (device === THE_SERVER) return <span>{t('history.server')}</span>;
  if (names.get(device)?.desk !== false) return <span title={device}>{name === '' ? device : name}</span>;
  return <a href={placeText('devices', [device])} title={device}>{name === '' ? device : name}</a>;
}

/** `seq`: of the record as it is; another one reads its history anew. */
export function History({ record, seq }: { record: RecordKey; seq: number }) {
  const { data, error, reload } = useLoad(`${record.scope} ${record.coll} ${record.id} ${seq}`, (signal) => readHistory(record, signal));
  const [shown, setShown] = useState(SHOWN_FIRST);
  const erasedAt = data?.steps.findIndex(isErasure) ?? -1;
  const rest = (data?.steps.length ?? 0) - shown;
  return (
    <section class="card" aria-label={t('history.title')}>
      <div class="head-row"><h2>{t('history.title')}</h2>{data !== null && <span class="small quiet num">{t('history.n', { n: data.steps.length })}</span>}</div>
      {error !== null && <Banner tone="bad" title={explain(error)} actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      {data === null && error === null && <Waiting />}
      {data?.steps.length === 0 && <p class="quiet">{t('history.none')}</p>}
      {data !== null && <ol class="steps-past">{data.steps.slice(0, shown).map((step, i) => <Step key={`${step.device} ${step.n}`} step={step} erased={erasedAt !== -1 && i > erasedAt} />)}</ol>}
      {rest > 0 && <Button kind="bare" onClick={() => setShown(shown + SHOWN_MORE)}>{t('history.earlier', { n: rest })}</Button>}
      {data?.more === true && rest <= 0 && <p class="small quiet">{t('history.more')}</p>}
    </section>
  );
}

/** Where somebody is erased the server clears what is personal; what others wrote of it before is noise by then. */
function isErasure({ device, op }: HistoryStep): boolean {
  return device === THE_SERVER && Object.entries(op.set ?? {}).some(([field, value]) => value === null && fieldOf(op.coll ?? '', field)?.personal === true);
}

function Step({ step, erased }: { step: HistoryStep; erased: boolean }) {
  const lines = opLines(step.op, erased);
  const late = step.received - step.stamp;
  return (
    <li>
      <p class="small quiet">
        <Writer device={step.device} name={step.name} /> · <When ms={step.stamp} />
        {late > LATE_MS && <span title={absoluteText(step.received)}> · {t('history.late', { span: spanText(late) })}</span>}
      </p>
      <ul>{lines.length === 0 ? <li class="quiet">{t('history.nothing')}</li> : lines.map((line) => <li key={line}>{line}</li>)}</ul>
    </li>
  );
}
