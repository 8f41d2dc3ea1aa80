// What reports must say, counted from all records by the plainest way that docs/reports.md allows: no projections,
// no rows kept, nothing of the engine. `waystation export` gives the records.

import { readFileSync } from 'node:fs';

const ZONE_MS = 8 * 3_600_000;
const LONGEST_MINUTES = 720; // of an attendance: how long it may stay open

/** "2025-03-01 08:30:05", as the clocks of the city show it. */
export function cityTime(time) {
  return new Date((typeof time === 'number' ? time : Date.parse(time)) + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ');
}

const dayOf = (time) => cityTime(time).slice(0, 10);

const titles = (coll, version, field) => JSON.parse(readFileSync(new URL(`../../schemas/collections/${coll}.v${version}.json`, import.meta.url))).fields[field].enum;
const CHOICES = { visitor: titles('visit', 2, 'visitor'), service: titles('visit', 2, 'services'),
                  kind: titles('station', 1, 'kind'), category: titles('event', 1, 'category') };

/** The title of a choice; what is none stands for itself. */
const titled = (dimension, value, lang) => CHOICES[dimension]?.[value]?.[lang] ?? value;

export class Recount {
  #records;
  #events;
  #people;
  #titles;

  /** `records`: collection → [{scope, id, fields}]. */
  constructor(records) {
    this.#records = records;
    this.#events = new Map(records.event.map((event) => [event.id, event.fields]));
    this.#people = new Map(records.volunteer.map((person) => [person.id, person.fields]));
    this.#titles = new Map(records.scope.filter(({ fields }) => fields.code).map(({ fields }) => [fields.code, fields.title]));
  }

  /** Every fact that counts, as its values by the names of dimensions and measures; `named`: columns beside them. */
  facts(report) {
    switch (report) {
      case 'visits': return this.#visits();
      case 'points': return [...this.#attendances().map((fact) => ({ ...fact, sums: { earned: fact.sums.points } })), ...this.#ledger()];
      default: return this.#attendances();
    }
  }

  /** The rows of a question, unordered: {key, values} with the values of all columns by name. */
  rows(question, lang) {
    const { report, from, to, by, filters, measures } = question;
    const facts = this.facts(report).flatMap((fact) => this.#placed(fact, by, filters))
      .filter(({ day }) => day >= from && day <= to)
      .filter((fact) => Object.entries(filters).every(([name, value]) => fact[name] === value));
    const groups = new Map();
    for (const fact of facts) {
      const key = JSON.stringify(report === 'attendance' ? [fact.scope, fact.id] : by.map((name) => fact[name] ?? ''));
      groups.set(key, [...(groups.get(key) ?? []), fact]);
    }
    return [...groups.values()].map((group) => this.#row(group, by, lang)).filter(({ sums }) => report === 'attendance' || measures.some((name) => sums[name] !== 0))
      .map(({ shown, sums }) => ({ ...shown, ...sums }));
  }

  /** A visit stands with each service that it used, where a question is about services. */
  #placed(fact, by, filters) {
    if (!by.includes('service') && !('service' in filters)) return [fact];
    return fact.services.map((service) => ({ ...fact, service }));
  }

  #row(group, by, lang) {
    const [first] = group;
    const shown = { ...first.fields };
    for (const name of by) Object.assign(shown, { [name]: titled(name, first[name], lang) ?? null }, this.#beside(name, first));
    for (const [name, value] of Object.entries(shown)) if (value === undefined || value === '') shown[name] = null;
    const sums = { people: new Set(group.map(({ person }) => person)).size };
    for (const { sums: own } of group) for (const [name, value] of Object.entries(own)) sums[name] = (sums[name] ?? 0) + value;
    if ('earned' in sums || 'granted' in sums || 'spent' in sums) {
      for (const name of ['earned', 'granted', 'spent']) sums[name] ??= 0;
      sums.left = sums.granted - sums.spent;
    }
    return { shown, sums };
  }

  /** The columns that are shown beside a dimension. */
  #beside(name, fact) {
    switch (name) {
      case 'station': return { station_name: fact.named.station };
      case 'event': return { event_title: this.#events.get(fact.event)?.title };
      case 'person': return { person_name: this.#people.get(fact.person)?.name, person_number: this.#people.get(fact.person)?.number };
      case 'district': case 'town': case 'division': return { [`${name}_name`]: this.#titles.get(fact[name]) };
      default: return {};
    }
  }

  #places(division = '') {
    return { division, town: division.slice(0, 9), district: division.slice(0, 6) };
  }

  #visits() {
    const stations = new Map(this.#records.station.map(({ scope, fields }) => [scope, fields]));
    return this.#records.visit.filter((visit) => this.#counts(visit)).map(({ scope, fields }) => {
      const station = stations.get(scope);
      const time = cityTime(fields.at);
      return { day: time.slice(0, 10), month: time.slice(0, 7), hour: Number(time.slice(11, 13)),
               station: scope, ...this.#places(station?.division), kind: station?.kind ?? '', visitor: fields.visitor, services: fields.services ?? [], named: { station: station?.name }, sums: { visits: 1, heads: fields.party_size ?? 1 } };
    });
  }

  /** Not what another fact of its scope names, nor one of several that name the same but the greatest, nor a void one. */
  #counts({ scope, id, fields }) {
    const names = (other, target) => other.scope === scope && other.fields.corrects === target && other.id !== target;
    const naming = (target) => this.#records.visit.filter((other) => names(other, target)).map((other) => other.id);
    if (fields.void === true || naming(id).length > 0) return false;
    if (fields.corrects === undefined || fields.corrects === id) return true;
    return naming(fields.corrects).every((other) => other <= id);
  }

  /** Where somebody's merges lead: to the end of the chain. */
  #remaining(id) {
    const seen = [];
    for (let at = id; ; at = this.#people.get(at).merged_into) {
      if (seen.includes(at)) return seen.slice(seen.indexOf(at)).sort()[0]; // a ring ends at its smallest
      seen.push(at);
      if (!this.#people.get(at)?.merged_into) return at;
    }
  }

  #who(id) {
    const person = this.#remaining(id);
    return { person, team: this.#people.get(person)?.team ?? '' };
  }

  #attendances() {
    return this.#records.attendance.filter(({ fields }) => fields.signed_in != null).map(({ scope, id, fields: said }) => {
      // What a record does not say, its id does: of which event and whose it is.
      const [ofEvent, ofPerson] = id.split('~');
      const fields = { ...said, event: said.event ?? ofEvent, volunteer: said.volunteer ?? ofPerson };
      const event = this.#events.get(fields.event);
      const day = dayOf(fields.signed_in);
      const { signed_in, signed_out, closed_at, role } = fields;
      const gone = signed_out ?? null;
      return { scope, id, day, month: day.slice(0, 7), event: fields.event, lead: event?.lead ?? '', category: event?.category ?? '',
               ...this.#places(event?.division), ...this.#who(fields.volunteer),
               fields: { signed_in, signed_out, closed_at, role },
               sums: { attendances: 1, minutes: minutesOf(fields), points: fields.points ?? 0,
                       closed: gone === null && closed_at != null ? 1 : 0, present: gone === null && closed_at == null ? 1 : 0 } };
    });
  }

  #ledger() {
    const POINTS = 'balance/';
    const sums = { grant: 'granted', spend: 'spent' };
    const moves = this.#records.ledger.filter(({ fields }) => fields.valid === true && fields.field === 'points' && fields.account.startsWith(POINTS));
    return moves.map(({ fields }) => {
      const day = dayOf(fields.at_ms);
      return { day, month: day.slice(0, 7), ...this.#who(fields.account.slice(POINTS.length)), sums: fields.kind in sums ? { [sums[fields.kind]]: fields.amount } : { granted: 0 } };
    });
  }
}

/** What was confirmed, else from signing in to signing out, or to where the server closed it; no more than it may stay open. */
function minutesOf({ minutes, signed_in, signed_out, closed_at }) {
  if (minutes != null) return minutes;
  const end = signed_out ?? closed_at;
  if (end == null) return 0;
  const ms = Date.parse(end) - Date.parse(signed_in);
  return ms <= 0 ? 0 : Math.min(LONGEST_MINUTES, Math.round(ms / 60_000));
}
