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
  counts: { all: number; in: number; out: number; minutes: number; points: number };
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

interface Known {
  /** On the list of the event, in order. */
  listed: Person[];
  ids: Set<string>;
  /** Whom this device knows besides: from other lists, or who have left theirs. */
  elsewhere: Map<string, LiveRecord>;
}

function peopleOf(event: { scope: string; id: string }, volunteers: LiveSet): Known {
  const listed: Person[] = [];
  const elsewhere = new Map<string, LiveRecord>();
  for (const record of volunteers.records.values()) {
    const { fields } = record;
    const isListed = record.scope === event.scope && text(fields, 'merged_into') === '' && text(fields, 'state') !== 'left';
    if (isListed) listed.push(personOf(record, true));
    else elsewhere.set(record.id, record);
  }
  return { listed: inOrder(`${event.scope} ${event.id}`, listed), ids: new Set(listed.map(({ id }) => id)), elsewhere };
}

/** Attendance of this event: person and record. */
export function* attendanceOf(event: { id: string }, attendance: LiveSet): Iterable<[string, LiveRecord]> {
  const prefix = `${event.id}~`;
  for (const record of attendance.records.values()) {
    if (record.id.startsWith(prefix)) yield [record.id.slice(prefix.length), record];
  }
}

function unlistedOf(event: { id: string }, known: Known, attendance: LiveSet): Person[] {
  const people: Person[] = [];
  for (const [id] of attendanceOf(event, attendance)) {
    if (known.ids.has(id)) continue;
    const record = known.elsewhere.get(id);
    people.push(record === undefined ? { id, name: id, number: '', team: '', listed: false } : personOf(record, false));
  }
  return people.sort((a, b) => collator.compare(a.name, b.name));
}

function sumUp(event: { id: string }, attendance: LiveSet, people: number): Roster['counts'] {
  const sums = { all: people, in: 0, out: 0, minutes: 0, points: 0 };
  for (const [, record] of attendanceOf(event, attendance)) {
    const presence = presenceOf(record);
    if (presence === 'in') ++sums.in;
    else if (presence !== 'none') ++sums.out;
    sums.minutes += count(record.fields, 'minutes') ?? minutesBetween(record) ?? 0;
    sums.points += count(record.fields, 'points') ?? 0;
  }
  return sums;
}

/** A tap costs what it changes: the list of people is made anew when people change, not when they come and go. */
export function useRoster(event: { scope: string; id: string }): Roster {
  const volunteers = useRecords('volunteer');
  const attendance = useRecords('attendance', event.scope);
  const known = useMemo(() => peopleOf(event, volunteers), [event.scope, event.id, volunteers.version]);
  const unlisted = useMemo(() => unlistedOf(event, known, attendance), [known, attendance.records.size]);
  const people = useMemo(() => (unlisted.length === 0 ? known.listed : [...unlisted, ...known.listed]), [known, unlisted]);
  const counts = useMemo(() => sumUp(event, attendance, people.length), [people, attendance.version]);
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
