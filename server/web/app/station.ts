// A station's day: visits as facts, and what they add up to.

import type { RecordKey } from '../sdk/types';
import { dayOf, fieldTime, timeOf } from '../ui/format';
import { act } from './act';
import { choicesOf, items, text } from './fields';

import type { LiveRecord, LiveSet } from './live';
import { device } from './device';
import { now } from './now';

export interface Visit {
  id: string;
  at: number;
  day: string;
  hour: number;
  visitor: string;
  services: string[];
  corrects: string;
  void: boolean;
  record: LiveRecord;
}

const read = new WeakMap<LiveRecord, Visit | null>();

function visitOf(record: LiveRecord): Visit | null {
  const known = read.get(record);
  if (known !== undefined) return known;
  const at = timeOf(record.fields.at);
  const visit =
    at === null
      ? null
      : {
          id: record.id,
          at,
          day: dayOf(at),
          hour: new Date(at).getHours(),
          visitor: text(record.fields, 'visitor'),
          services: items(record.fields, 'services'),
          corrects: text(record.fields, 'corrects'),
          void: record.fields.void === true,
          record,
        };
  read.set(record, visit);
  return visit;
}

export interface Day {
  /** Visits that count, the latest first. */
  visits: Visit[];
  byHour: number[];
  byVisitor: Map<string, number>;
  byService: Map<string, number>;
}

/** What counts of a local day: a visit that another one names in `corrects` does not, nor does one that only
 *  takes another back; of several that name the same one, the one with the greatest id (docs/merge-rules.md, Facts). */
export function dayOfStation(set: LiveSet, day: string): Day {
  const correctedBy = new Map<string, string>();
  const ofDay: Visit[] = [];
  for (const record of set.records.values()) {
    const visit = visitOf(record);
    if (visit === null) continue;
    const { id, corrects } = visit;
    if (corrects !== '' && corrects !== id && (correctedBy.get(corrects) ?? '') < id) correctedBy.set(corrects, id);
    if (visit.day === day && !visit.void) ofDay.push(visit);
  }
  const result: Day = { visits: [], byHour: new Array<number>(24).fill(0), byVisitor: new Map(), byService: new Map() };
  for (const visit of ofDay) {
    if (correctedBy.has(visit.id)) continue;
    if (visit.corrects !== visit.id && (correctedBy.get(visit.corrects) ?? visit.id) !== visit.id) continue;
    result.visits.push(visit);
    result.byHour[visit.hour] = (result.byHour[visit.hour] ?? 0) + 1;
    result.byVisitor.set(visit.visitor, (result.byVisitor.get(visit.visitor) ?? 0) + 1);
    for (const service of visit.services) result.byService.set(service, (result.byService.get(service) ?? 0) + 1);
  }
  result.visits.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  return result;
}

/** One tap: one fact. */
export async function recordVisit(scope: string, visitor: string, services: string[]): Promise<RecordKey | null> {
  const time = now();
  const key = { scope, coll: 'visit', id: device().newId() };
  const edits = { set: { visitor, at: fieldTime(time) }, ...(services.length > 0 ? { add: { services } } : {}) };
  return (await act(key, edits)) === null ? null : key;
}

/** A visit that did not happen: a fact is not deleted, a new one says so. */
export function takeBackVisit(scope: string, visit: { id: string; visitor: string }) {
  const time = now();
  return act(
    { scope, coll: 'visit', id: device().newId() },
    { set: { visitor: visit.visitor, at: fieldTime(time), corrects: visit.id, void: true } },
  );
}

export function visitors(): string[] {
  return choicesOf('visit', 'visitor');
}

/** What the station offers; where it does not say, everything that the schema knows. */
export function servicesOf(station: LiveRecord | undefined): string[] {
  const offered = station === undefined ? [] : items(station.fields, 'services');
  return offered.length > 0 ? choicesOf('visit', 'services').filter((name) => offered.includes(name)) : choicesOf('visit', 'services');
}

// --- Which services are ticked beforehand: remembered on this device, station by station ---

function memory(scope: string): string {
  return `waystation.services.${scope}`;
}

export function rememberedServices(scope: string): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(memory(scope)) ?? '[]');
    return Array.isArray(stored) ? stored.filter((item): item is string => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberServices(scope: string, services: string[]): void {
  try {
    localStorage.setItem(memory(scope), JSON.stringify(services));
  } catch {
    // It is a convenience: without room for it the user ticks them again.
  }
}

/** The homes that this device has, the first of them the usual one. */
export function homes(stations: number, events: number): ('station' | 'events')[] {
  const { role } = device();
  const atStation = role !== 'volunteer' && stations > 0;
  if (atStation && role === 'station') return events > 0 ? ['station', 'events'] : ['station'];
  if (atStation && events === 0) return ['station'];
  return atStation ? ['events', 'station'] : ['events'];
}
