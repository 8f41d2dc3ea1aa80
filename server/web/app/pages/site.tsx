// What else is kept of an event: headcount, remarks, photos, and its end.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Stepper, TextField } from '../../ui/fields';
import { hoursText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { act } from '../act';
import { useRoster, type EventView, type Roster } from '../events';
import { text } from '../fields';
import { may } from '../may';
import { LogEntries } from '../parts/log_entries';
import { PhotoCard } from '../parts/photo_card';
import { Screen } from '../parts/screen';
import { go } from '../router';
import { useDraft } from '../update';
import { GoneEvent, useEvent } from './event';

export function eventKey(event: EventView) {
  return { scope: event.scope, coll: 'event', id: event.id };
}

function Headcount({ event, counted }: { event: EventView; counted: number }) {
  const [value, setValue] = useState(event.headcount ?? counted);
  const changed = value !== event.headcount;
  useDraft(changed && event.headcount !== null);
  if (!may('event', 'set', 'headcount')) {
    return (
      <section class="card">
        <div class="head-row">
          <h2>{t('site.headcount')}</h2>
          <b class="num">{event.headcount ?? '—'}</b>
        </div>
        <p class="quiet note">{t('site.headcount_lead')}</p>
      </section>
    );
  }
  async function keep(): Promise<void> {
    if ((await act(eventKey(event), { set: { headcount: value } })) !== null) toast(t('site.headcount_kept', { n: value }));
  }
  return (
    <section class="card">
      <div class="head-row">
        <h2>{t('site.headcount')}</h2>
        <span class="quiet note num">{t('site.counted', { n: counted })}</span>
      </div>
      <Stepper label={t('site.headcount_field')} value={value} onChange={setValue} />
      <Button kind={changed ? 'primary' : 'plain'} off={!changed} onClick={() => void keep()}>
        {t(changed ? 'site.headcount_keep' : 'site.headcount_is_kept')}
      </Button>
    </section>
  );
}

function Remarks({ event }: { event: EventView }) {
  const [words, setWords] = useState('');
  useDraft(words !== '');
  const allowed = may('event', 'append', 'remarks');
  async function add(): Promise<void> {
    if (words.trim() === '') return;
    if ((await act(eventKey(event), { append: { remarks: [words.trim()] } })) !== null) setWords('');
  }
  return (
    <section class="card">
      <h2>{t('site.remarks')}</h2>
      {allowed && (
        <>
          <TextField label={t('site.remark')} hint={t('site.remark_hint')} value={words} lines maxLength={1000} onInput={setWords} />
          <Button off={words.trim() === ''} onClick={() => void add()}>{t('do.add')}</Button>
        </>
      )}
      <LogEntries fields={event.record.fields} name="remarks" />
    </section>
  );
}

function Sums({ event, roster }: { event: EventView; roster: Roster }) {
  const { counts } = roster;
  return (
    <section class="card">
      <h2>{t('site.sums')}</h2>
      <div class="figures">
        <div><b>{counts.in + counts.out}</b><span class="small">{t('site.people')}</span></div>
        <div><b>{hoursText(counts.minutes)}</b><span class="small">{t('site.hours')}</span></div>
        <div><b>{counts.points}</b><span class="small">{t('site.points')}</span></div>
      </div>
      <Button icon="check" wide onClick={() => go({ page: 'closing', scope: event.scope, id: event.id })}>
        {t(event.state === 'closed' ? 'site.closed' : 'site.close')}
      </Button>
    </section>
  );
}

export function SiteCards({ event, roster }: { event: EventView; roster: Roster }) {
  const about = text(event.record.fields, 'description');
  return (
    <>
      <Sums event={event} roster={roster} />
      <Headcount key={event.headcount} event={event} counted={roster.counts.in + roster.counts.out} />
      <PhotoCard scope={event.scope} coll="event" id={event.id} />
      <Remarks event={event} />
      {about !== '' && (
        <section class="card">
          <h2>{t('site.about')}</h2>
          <p class="pre">{about}</p>
        </section>
      )}
    </>
  );
}

export function SitePage({ scope, id }: { scope: string; id: string }) {
  const event = useEvent(scope, id);
  if (event === null) return <GoneEvent />;
  return <Site event={event} />;
}

function Site({ event }: { event: EventView }) {
  const roster = useRoster(event);
  return (
    <Screen title={t('site.title')} second={event.title} up={{ page: 'event', scope: event.scope, id: event.id }}>
      <SiteCards event={event} roster={roster} />
    </Screen>
  );
}
