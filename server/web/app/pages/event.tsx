// At the door of an event: who is here, in one tap.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { SearchField, Segments } from '../../ui/fields';
import { clockText, hoursText, timeOf } from '../../ui/format';
import { t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { VirtualList } from '../../ui/virtual';
import { Empty, Tag } from '../../ui/words';
import {
  eventOf, minutesBetween, presenceOf, signIn, signOut, takeBack, useRoster,
  type EventView, type Person, type Presence, type Roster,
} from '../events';
import { count } from '../fields';
import { useRecords, type LiveRecord } from '../live';
import { may } from '../may';
import { useNow } from '../now';
import { PersonSheet } from '../parts/person_sheet';
import { Screen } from '../parts/screen';
import { useWide } from '../parts/wide';
import { go } from '../router';
import { loadInitials, matches } from '../search';
import { whenText } from './events';
import { SiteCards } from './site';

type Tab = 'all' | 'in' | 'out';

function belongs(presence: Presence, tab: Tab): boolean {
  if (tab === 'all') return true;
  return tab === 'in' ? presence !== 'none' : presence === 'in';
}

/** What stands below a name: when they came and went, and whether that is kept yet. */
function presenceWords(attendance: LiveRecord | undefined, presence: Presence): string {
  if (attendance === undefined || presence === 'none') return '';
  const from = timeOf(attendance.fields.signed_in);
  const to = timeOf(attendance.fields.signed_out) ?? timeOf(attendance.fields.closed_at);
  if (from === null) return to === null ? '' : t('person.out_only', { to: clockText(to) });
  return to === null ? t('person.since', { from: clockText(from) }) : `${clockText(from)}–${clockText(to)}`;
}

async function tapIn(event: EventView, person: Person): Promise<void> {
  const op = await signIn(event, person.id);
  if (op === null) return;
  toast(t('door.signed_in', { name: person.name }), { label: t('do.undo'), run: () => void takeBack(event, person.id, 'signed_in') });
}

async function tapOut(event: EventView, person: Person): Promise<void> {
  const op = await signOut(event, person.id);
  if (op === null) return;
  toast(t('door.signed_out', { name: person.name }), { label: t('do.undo'), run: () => void takeBack(event, person.id, 'signed_out') });
}

function RowState({ attendance }: { attendance: LiveRecord | undefined }) {
  if (attendance === undefined) return null;
  if (attendance.saving === true) return <Tag icon="clock">{t('state.saving')}</Tag>;
  if (attendance.conflicts > 0) return <Tag tone="wait" icon="warn">{t('state.conflict')}</Tag>;
  if (attendance.waiting > 0) return <Tag tone="wait" icon="clock">{t('state.waiting')}</Tag>;
  return presenceOf(attendance) === 'closed' ? <Tag>{t('state.closed')}</Tag> : null;
}

interface RowProps {
  event: EventView;
  person: Person;
  attendance: LiveRecord | undefined;
  onOpen: () => void;
}

function PersonRow({ event, person, attendance, onOpen }: RowProps) {
  const presence = presenceOf(attendance);
  const minutes = attendance === undefined ? null : (count(attendance.fields, 'minutes') ?? minutesBetween(attendance));
  const words = presenceWords(attendance, presence);
  return (
    <div class="person-row">
      <button type="button" class="who" aria-label={t('person.open', { name: person.name })} onClick={onOpen}>
        <span class="name ellipsis">{person.name}</span>
        <span class="sub num">
          <span class="ellipsis">{words || person.number || t(person.listed ? 'person.not_yet' : 'person.unlisted')}</span>
          <RowState attendance={attendance} />
        </span>
      </button>
      {presence === 'none' && (
        <Button kind="soft" label={t('door.in_name', { name: person.name })} onClick={() => void tapIn(event, person)}>{t('door.in')}</Button>
      )}
      {presence === 'in' && (
        <Button label={t('door.out_name', { name: person.name })} onClick={() => void tapOut(event, person)}>{t('door.out')}</Button>
      )}
      {(presence === 'out' || presence === 'closed') && (
        <span class="done num">{minutes === null ? t('door.gone') : t('door.hours', { n: hoursText(minutes) })}</span>
      )}
    </div>
  );
}

function emptyWords(tab: Tab, searching: boolean): [string, string] {
  if (searching) return [t('door.not_found'), t(may('volunteer', 'create') ? 'door.not_found_do' : 'door.not_found_ask')];
  if (tab === 'out') return [t('door.all_out'), t('door.all_out_do')];
  if (tab === 'in') return [t('door.nobody_in'), t('door.nobody_in_do')];
  return [t('door.no_roster'), t(may('volunteer', 'create') ? 'door.no_roster_do' : 'door.no_roster_ask')];
}

function Door({ event, roster }: { event: EventView; roster: Roster }) {
  const [tab, setTab] = useState<Tab>('all');
  const [query, setQuery] = useState('');
  const [ready, setReady] = useState(false);
  const [open, setOpen] = useState<Person | null>(null);
  useEffect(() => {
    if (query !== '' && !ready) loadInitials().then(() => setReady(true), () => undefined);
  }, [query, ready]);
  const shown = useMemo(
    () => tab === 'all' && query.trim() === '' ? roster.people : roster.people.filter((person) => belongs(presenceOf(roster.attendance(person.id)), tab) && matches(person, query)),
    [roster.people, tab === 'all' ? '' : roster.version, tab, query, ready],
  );
  const { counts } = roster;
  const [title, todo] = emptyWords(tab, query !== '');
  return (
    <section class="stack" aria-label={t('door.label')}>
      <div class="door">
        <Segments
          label={t('door.filter')}
          value={tab}
          onChange={setTab}
          choices={[
            ['all', t('door.all', { n: counts.all })],
            ['in', t('door.came', { n: counts.in + counts.out })],
            ['out', t('door.open', { n: counts.in })],
          ]}
        />
        <div class="find">
          <SearchField label={t('door.search')} value={query} onInput={setQuery} />
          <Button icon="scan" label={t('door.scan')} onClick={() => go({ page: 'scan', scope: event.scope, id: event.id })} />
          <Button icon="personAdd" label={t('door.walkin')} onClick={() => go({ page: 'walkin', scope: event.scope, id: event.id })} />
        </div>
      </div>
      {shown.length === 0 ? (
        <Empty icon="people" title={title}>
          <p class="quiet">{todo}</p>
        </Empty>
      ) : (
        <div class="roster">
          <VirtualList
            items={shown}
            keyOf={(person) => person.id}
            stampOf={(person) => roster.attendance(person.id) ?? person}
            rowRem={4.25}
            label={t('door.list')}
            row={(person) => (
              <PersonRow event={event} person={person} attendance={roster.attendance(person.id)} onOpen={() => setOpen(person)} />
            )}
          />
        </div>
      )}
      {open !== null && <PersonSheet event={event} person={open} attendance={roster.attendance(open.id)} onClose={() => setOpen(null)} />}
    </section>
  );
}

export function useEvent(scope: string, id: string): EventView | null {
  const events = useRecords('event');
  const record = events.get(scope, id);
  return useMemo(() => (record === undefined ? null : eventOf(record)), [record]);
}

export function EventPage({ scope, id }: { scope: string; id: string }) {
  const event = useEvent(scope, id);
  const time = useNow();
  if (event === null) return <GoneEvent />;
  return (
    <Screen title={event.title} second={`${whenText(event, time)} ${event.place}`} up={{ page: 'home' }} wide actions={
      <span class="narrow-only">
        <Button kind="bare" icon="note" onClick={() => go({ page: 'site', scope, id })}>{t('site.short')}</Button>
      </span>
    }>
      <EventBody event={event} />
    </Screen>
  );
}

function EventBody({ event }: { event: EventView }) {
  const roster = useRoster(event);
  const wide = useWide();
  return (
    <div class="two-columns">
      <Door event={event} roster={roster} />
      {wide && (
        <div class="stack">
          <SiteCards event={event} roster={roster} />
        </div>
      )}
    </div>
  );
}

export function GoneEvent() {
  return (
    <Screen title={t('event.gone')} up={{ page: 'home' }}>
      <Empty icon="calendar" title={t('event.gone')}>
        <p class="quiet">{t('event.gone_do')}</p>
      </Empty>
    </Screen>
  );
}
