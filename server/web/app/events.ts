// Events and who came: what the pages of a volunteer and a team lead show.

import { useMemo } from 'preact/hooks';
import type { Edits, RecordKey } from '../sdk/types';
import { dayOf, fieldTime, startOfDay, timeOf } from '../ui/format';
import { act } from './act';
import { count, text } from './fields';
import { useRecords, type LiveRecord, type LiveSet } from './live';
import { may } from './may';
import { now } from './now';
import type { Searchable } from './search';

export interface EventView {
  scope: string;
  id: string;
  title: string;
  place: string;
  category: string;
  state: string;
  starts: number | null;
  ends: number | null;
  headcount: number | null;
  record: LiveRecord;
}

export function eventOf(record: LiveRecord): EventView {
  const { fields } = record;
  return {
    scope: record.scope,
    id: record.id,
    title: text(fields, 'title') || record.id,
    place: text(fields, 'place'),
    category: text(fields, 'category'),
    state: text(fields, 'state'),
    starts: timeOf(fields.starts),
    ends: timeOf(fields.ends),
    headcount: count(fields, 'headcount'),
    record,
  };
}

export type When = 'today' | 'coming' | 'past';

/** An event without a time is one of today: somebody is about to use it. */
export function whenOf(event: EventView, time: number): When {
  const starts = event.starts ?? event.ends;
  if (starts === null) return 'today';
  const today = startOfDay(time);
  if (startOfDay(starts) > today) return 'coming';
  return startOfDay(event.ends ?? starts) < today ? 'past' : 'today';
}

export function groupEvents(events: EventView[], time: number): Record<When, EventView[]> {
  const groups: Record<When, EventView[]> = { today: [], coming: [], past: [] };
  for (const event of events) groups[whenOf(event, time)].push(event);
  const byStart = (a: EventView, b: EventView) => (a.starts ?? 0) - (b.starts ?? 0) || a.title.localeCompare(b.title);
  groups.today.sort(byStart);
  groups.coming.sort(byStart);
  groups.past.sort((a, b) => byStart(b, a));
  return groups;
}

// --- Who came ---

export type Presence = 'none' | 'in' | 'out' | 'closed';

export function presenceOf(attendance: LiveRecord | undefined): Presence {
  if (attendance === undefined) return 'none';
  const { fields } = attendance;
  if (text(fields, 'signed_out') !== '') return 'out';
  if (text(fields, 'signed_in') === '') return 'none';
  return text(fields, 'closed_at') === '' ? 'in' : 'closed';
}

/** Minutes between signing in and out, or to where the server closed it; null while it lasts. */
export function minutesBetween(attendance: LiveRecord): number | null {
  const { fields } = attendance;
  const from = timeOf(fields.signed_in);
  const to = timeOf(fields.signed_out) ?? timeOf(fields.closed_at);
  return from === null || to === null || to < from ? null : Math.round((to - from) / 60_000);
}

export interface Person extends Searchable {
  id: string;
  /** On the event's own roster, not from elsewhere. */
  listed: boolean;
  team: string;
}

export interface Roster {
  /** By name; an entry stays the same object while its person's record does. */
  people: readonly Person[];
  attendance: (person: string) => LiveRecord | undefined;
  counts: { all: number; in: number; out: number };
  version: string;
}

export function attendanceKey(event: { scope: string; id: string }, person: string): RecordKey {
  return { scope: event.scope, coll: 'attendance', id: `${event.id}~${person}` };
}

const collator = new Intl.Collator('zh-CN');
const ordered = new Map<string, Person[]>();
const made = new WeakMap<LiveRecord, Person>();

function personOf(record: LiveRecord, listed: boolean): Person {
  let person = made.get(record);
  if (person === undefined || person.listed !== listed) {
    const { fields } = record;
    person = {
      id: record.id,
      name: text(fields, 'name') || text(fields, 'number') || record.id,
      number: text(fields, 'number'),
      team: text(fields, 'team'),
      listed,
    };
    made.set(record, person);
  }
  return person;
}

/** In order of name. Begins from the last order, so that one more person costs one more place. */
function inOrder(name: string, people: Person[]): Person[] {
  const places = new Map((ordered.get(name) ?? []).map((person, at) => [person.id, at]));
  people.sort((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
  people.sort((a, b) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
  ordered.set(name, people);
  return people;
}

function peopleOf(event: { scope: string; id: string }, volunteers: LiveSet, attendance: LiveSet): Person[] {
  const people = new Map<string, Person>();
  const elsewhere = new Map<string, LiveRecord>();
  for (const record of volunteers.records.values()) {
    if (record.scope !== event.scope) {
      elsewhere.set(record.id, record);
    } else if (text(record.fields, 'merged_into') === '' && text(record.fields, 'state') !== 'left') {
      people.set(record.id, personOf(record, true));
    } else {
      elsewhere.set(record.id, record);
    }
  }
  const prefix = `${event.id}~`;
  for (const record of attendance.records.values()) {
    if (!record.id.startsWith(prefix)) continue;
    const id = record.id.slice(prefix.length);
    if (people.has(id)) continue;
    const known = elsewhere.get(id);
    people.set(id, known === undefined ? { id, name: id, number: '', team: '', listed: false } : personOf(known, false));
  }
  return inOrder(`${event.scope} ${event.id}`, [...people.values()]);
}

export function useRoster(event: { scope: string; id: string }): Roster {
  const volunteers = useRecords('volunteer');
  const attendance = useRecords('attendance', event.scope);
  const { size } = attendance.records;
  // Signing in and out leaves the list of people as it is; a record more or less may not.
  const people = useMemo(
    () => peopleOf(event, volunteers, attendance),
    [event.scope, event.id, volunteers, volunteers.version, attendance, size],
  );
  const counts = useMemo(() => {
    const result = { all: people.length, in: 0, out: 0 };
    for (const person of people) {
      const presence = presenceOf(attendance.get(event.scope, `${event.id}~${person.id}`));
      if (presence === 'in') ++result.in;
      else if (presence !== 'none') ++result.out;
    }
    return result;
  }, [people, attendance.version]);
  return {
    people,
    attendance: (person) => attendance.get(event.scope, `${event.id}~${person}`),
    counts,
    version: `${volunteers.version}.${attendance.version}`,
  };
}

// --- What is done at the door ---

/** The parts of the natural key stand beside the first edit of a record. */
function withKey(event: { id: string }, person: string, set: Edits['set']): Edits {
  return { set: { event: event.id, volunteer: person, ...set } };
}

export function signIn(event: { scope: string; id: string }, person: string) {
  return act(attendanceKey(event, person), withKey(event, person, { signed_in: fieldTime(now()) }));
}

export function signOut(event: { scope: string; id: string }, person: string) {
  return act(attendanceKey(event, person), withKey(event, person, { signed_out: fieldTime(now()) }));
}

export function takeBack(event: { scope: string; id: string }, person: string, what: 'signed_in' | 'signed_out') {
  return act(attendanceKey(event, person), { set: { [what]: null } });
}

export function mayConfirmHours(): boolean {
  return may('attendance', 'set', 'minutes');
}

export function isToday(ms: number | null, time: number): boolean {
  return ms !== null && dayOf(ms) === dayOf(time);
}
