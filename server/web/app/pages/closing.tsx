// Ending an event: what is still open, and what has not arrived yet.

import type { Edits, RecordKey } from '../../sdk/types';
import { Button } from '../../ui/button';
import { clockText, fieldTime, hoursText, timeOf } from '../../ui/format';
import { t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Icon } from '../../ui/icon';
import { act, actAll } from '../act';
import { attendanceKey, mayConfirmHours, minutesBetween, presenceOf, useRoster, type EventView } from '../events';
import { count } from '../fields';
import { useStatus } from '../live';
import { may } from '../may';
import { now } from '../now';
import { Screen } from '../parts/screen';
import { usePhotosOf } from '../photos';
import { go } from '../router';
import { GoneEvent, useEvent } from './event';
import { eventKey } from './site';

interface Step {
  done: boolean;
  words: string;
  action?: { label: string; run: () => void };
}

function StepRow({ step }: { step: Step }) {
  return (
    <li class="step">
      <span class={step.done ? 'step-mark done' : 'step-mark'}>
        <Icon name={step.done ? 'check' : 'clock'} small />
        <span class="unseen">{t(step.done ? 'closing.done' : 'closing.open')}</span>
      </span>
      <span class="step-words">{step.words}</span>
      {step.action !== undefined && <Button onClick={step.action.run}>{step.action.label}</Button>}
    </li>
  );
}

export function ClosingPage({ scope, id }: { scope: string; id: string }) {
  const event = useEvent(scope, id);
  if (event === null) return <GoneEvent />;
  return <Closing event={event} />;
}

function Closing({ event }: { event: EventView }) {
  const roster = useRoster(event);
  const status = useStatus();
  const photos = usePhotosOf(event.scope, 'event', event.id);
  const here = roster.people.filter((person) => presenceOf(roster.attendance(person.id)) === 'in');
  const unconfirmed = roster.people.filter((person) => {
    const attendance = roster.attendance(person.id);
    return attendance !== undefined && minutesBetween(attendance) !== null && count(attendance.fields, 'minutes') === null;
  });

  async function signAllOut(): Promise<void> {
    const time = fieldTime(now());
    const edits = here.map(({ id }): [RecordKey, Edits] => [attendanceKey(event, id), { set: { event: event.id, volunteer: id, signed_out: time } }]);
    if ((await actAll(edits)) !== null) toast(t('closing.all_signed_out', { n: edits.length }));
  }

  async function confirmAll(): Promise<void> {
    const edits = unconfirmed.map(({ id }): [RecordKey, Edits] => {
      const attendance = roster.attendance(id);
      return [attendanceKey(event, id), { set: { minutes: attendance === undefined ? 0 : (minutesBetween(attendance) ?? 0) } }];
    });
    if ((await actAll(edits)) !== null) toast(t('closing.confirmed', { n: edits.length }));
  }

  async function setState(state: string): Promise<void> {
    const before = event.state || null;
    if ((await act(eventKey(event), { set: { state } })) === null) return;
    toast(t(state === 'closed' ? 'closing.is_closed' : 'closing.is_open'), {
      label: t('do.undo'),
      run: () => void act(eventKey(event), { set: { state: before } }),
    });
  }

  const steps: Step[] = [
    {
      done: here.length === 0,
      words: here.length === 0 ? t('closing.nobody_here') : t('closing.still_here', { n: here.length }),
      ...(here.length > 0 ? { action: { label: t('closing.sign_all_out'), run: () => void signAllOut() } } : {}),
    },
    ...(mayConfirmHours()
      ? [{
          done: unconfirmed.length === 0,
          words: unconfirmed.length === 0 ? t('closing.hours_sure') : t('closing.hours_open', { n: unconfirmed.length }),
          ...(unconfirmed.length > 0 ? { action: { label: t('closing.confirm_all'), run: () => void confirmAll() } } : {}),
        }]
      : []),
    { done: event.headcount !== null, words: event.headcount === null ? t('closing.no_headcount') : t('closing.headcount', { n: event.headcount }) },
    {
      done: photos.missing === 0,
      words: photos.all === 0 ? t('closing.no_photos') : t('closing.photos', { n: photos.all - photos.missing, m: photos.all }),
    },
    {
      done: status.waiting === 0,
      words: status.waiting === 0 ? t('closing.arrived') : t('closing.waits', { n: status.waiting }),
      ...(status.waiting > 0 ? { action: { label: t('closing.see'), run: () => go({ page: 'sync' }) } } : {}),
    },
  ];
  const closed = event.state === 'closed';
  return (
    <Screen title={t('closing.title')} second={event.title} up={{ page: 'site', scope: event.scope, id: event.id }}>
      <section class="card">
        <h2>{t('closing.before')}</h2>
        <ul class="rows">{steps.map((step) => <StepRow key={step.words} step={step} />)}</ul>
      </section>
      {here.length > 0 && (
        <section class="card">
          <h2>{t('closing.who')}</h2>
          <ul class="rows">
            {here.slice(0, 100).map((person) => {
              const from = timeOf(roster.attendance(person.id)?.fields.signed_in);
              return (
                <li class="head-row entry-line" key={person.id}>
                  <span>{person.name}</span>
                  <span class="quiet num">{from === null ? '' : t('person.since', { from: clockText(from) })}</span>
                </li>
              );
            })}
          </ul>
          {here.length > 100 && <p class="quiet note">{t('closing.more', { n: here.length - 100 })}</p>}
        </section>
      )}
      {may('event', 'set', 'state') ? (
        closed ? (
          <Button wide icon="undo" onClick={() => void setState('open')}>{t('closing.reopen')}</Button>
        ) : (
          <div class="stack">
            <Button kind="primary" wide onClick={() => void setState('closed')}>{t('closing.do')}</Button>
            <p class="quiet note">{t('closing.later')}</p>
          </div>
        )
      ) : (
        <p class="quiet note">{t(closed ? 'closing.is_closed' : 'closing.lead_only')}</p>
      )}
      <p class="quiet note num">{t('closing.sum', { n: roster.counts.in + roster.counts.out, hours: hoursText(roster.counts.minutes) })}</p>
    </Screen>
  );
}
