// One person at one event: times, hours, points, remarks, their code; and every way back.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Stepper, TextField } from '../../ui/fields';
import { clockText, hoursText, timeOf } from '../../ui/format';
import { t } from '../../ui/i18n';
import { Sheet } from '../../ui/sheet';
import { toast } from '../../ui/toast';
import { Banner } from '../../ui/words';
import { act } from '../act';
import {
  attendanceKey, mayConfirmHours, minutesBetween, presenceOf, signIn, signOut, takeBack,
  type EventView, type Person,
} from '../events';
import { count } from '../fields';
import type { LiveRecord } from '../live';
import { may } from '../may';
import { personText } from '../qr_texts';
import { useDraft } from '../update';
import { LogEntries } from './log_entries';
import { QrPicture } from '../../ui/qr_picture';

interface PersonProps {
  event: EventView;
  person: Person;
  attendance: LiveRecord | undefined;
  onClose: () => void;
}

function Times({ event, person, attendance }: Omit<PersonProps, 'onClose'>) {
  const presence = presenceOf(attendance);
  const came = timeOf(attendance?.fields.signed_in);
  const left = timeOf(attendance?.fields.signed_out);
  const closed = timeOf(attendance?.fields.closed_at);
  return (
    <div class="stack">
      <dl class="facts num">
        <dt>{t('person.came')}</dt>
        <dd>{came === null ? '—' : clockText(came)}</dd>
        <dt>{t('person.left')}</dt>
        <dd>{left !== null ? clockText(left) : closed !== null ? t('person.closed', { time: clockText(closed) }) : '—'}</dd>
      </dl>
      <div class="row stretch">
        {presence === 'none' && <Button kind="primary" onClick={() => void signIn(event, person.id)}>{t('door.in')}</Button>}
        {(presence === 'in' || presence === 'closed') && (
          <>
            <Button icon="undo" onClick={() => void takeBack(event, person.id, 'signed_in')}>{t('person.in_back')}</Button>
            <Button kind="primary" onClick={() => void signOut(event, person.id)}>{t('door.out')}</Button>
          </>
        )}
        {presence === 'out' && <Button icon="undo" onClick={() => void takeBack(event, person.id, 'signed_out')}>{t('person.out_back')}</Button>}
      </div>
    </div>
  );
}

/** Hours and points, which a team lead confirms. */
function Confirm({ event, person, attendance }: { event: EventView; person: Person; attendance: LiveRecord }) {
  const measured = minutesBetween(attendance);
  const confirmed = count(attendance.fields, 'minutes');
  const points = count(attendance.fields, 'points');
  const [minutes, setMinutes] = useState(confirmed ?? measured ?? 0);
  const [given, setGiven] = useState(points ?? 0);
  const changed = minutes !== confirmed || given !== (points ?? 0);
  useDraft(changed && confirmed !== null);
  async function keep(): Promise<void> {
    const set = { minutes, ...(given !== points ? { points: given } : {}) };
    if ((await act(attendanceKey(event, person.id), { set })) !== null) toast(t('person.confirmed', { name: person.name }));
  }
  return (
    <div class="stack">
      <Stepper label={t('person.minutes', { hours: hoursText(minutes) })} value={minutes} max={10_080} onChange={setMinutes} />
      <Stepper label={t('person.points')} value={given} onChange={setGiven} />
      <Button kind="primary" off={!changed} onClick={() => void keep()}>{t(confirmed === null ? 'person.confirm' : 'person.change')}</Button>
    </div>
  );
}

function Hours({ event, person, attendance }: Omit<PersonProps, 'onClose'>) {
  if (attendance === undefined || presenceOf(attendance) === 'none') return null;
  const confirmed = count(attendance.fields, 'minutes');
  if (mayConfirmHours()) {
    // Anew when they come or go: what was measured has changed.
    return <Confirm key={`${minutesBetween(attendance)} ${confirmed}`} event={event} person={person} attendance={attendance} />;
  }
  const minutes = confirmed ?? minutesBetween(attendance);
  return (
    <dl class="facts num">
      <dt>{t('person.hours')}</dt>
      <dd>{minutes === null ? '—' : t(confirmed === null ? 'person.hours_open' : 'person.hours_sure', { n: hoursText(minutes) })}</dd>
      <dt>{t('person.points')}</dt>
      <dd>{count(attendance.fields, 'points') ?? '—'}</dd>
    </dl>
  );
}

function Remarks({ event, person, attendance }: Omit<PersonProps, 'onClose'>) {
  const [words, setWords] = useState('');
  useDraft(words !== '');
  if (attendance === undefined || !may('attendance', 'append', 'remarks')) return null;
  async function add(): Promise<void> {
    if (words.trim() === '') return;
    if ((await act(attendanceKey(event, person.id), { append: { remarks: [words.trim()] } })) !== null) setWords('');
  }
  return (
    <div class="stack">
      <LogEntries fields={attendance.fields} name="remarks" />
      <TextField label={t('person.remark')} value={words} maxLength={1000} onInput={setWords} />
      <Button off={words.trim() === ''} onClick={() => void add()}>{t('do.add')}</Button>
    </div>
  );
}

export function PersonSheet({ event, person, attendance, onClose }: PersonProps) {
  const [code, setCode] = useState(false);
  return (
    <Sheet title={person.name} onClose={onClose}>
      <p class="quiet note">{[person.number, person.team].filter((part) => part !== '').join(' · ') || t('person.no_number')}</p>
      {!person.listed && <Banner tone="plain" title={t('person.unlisted')}><p>{t('person.unlisted_more')}</p></Banner>}
      {attendance !== undefined && attendance.conflicts > 0 && (
        <Banner tone="wait" title={t('person.conflict', { n: attendance.conflicts })}><p>{t('person.conflict_do')}</p></Banner>
      )}
      <Times event={event} person={person} attendance={attendance} />
      <Hours event={event} person={person} attendance={attendance} />
      <Remarks event={event} person={person} attendance={attendance} />
      {code ? <QrPicture text={personText(person.id)} label={t('person.code_of', { name: person.name })} /> : (
        <Button kind="bare" icon="qr" onClick={() => setCode(true)}>{t('person.show_code')}</Button>
      )}
    </Sheet>
  );
}
