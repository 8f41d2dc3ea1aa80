// A city in which at random everything has happened that changes a number after it was first counted: corrections of
// corrections, edits that come late or lose, deletes, people who are one, somebody erased, refused edits taken up
// again. The same seed makes the same edits.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { enrolledDevice } from '../clients/fixtures.mjs';

const run = promisify(execFile);

/** Numbers of [0, 1) and choices by them: mulberry32. */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  one(list) {
    return list[this.below(list.length)];
  }

  happens(probability) {
    return this.next() < probability;
  }

  some(list, probability = 0.4) {
    return list.filter(() => this.happens(probability));
  }

  shuffled(list) {
    return list.map((value) => [this.next(), value]).sort(([a], [b]) => a - b).map(([, value]) => value);
  }
}

const VILLAGES = ['445202001001', '445202001002', '445202002001', '445203001001', '445203003005', '445281009009'];
const TITLED = { 445202: '榕城区', 445203: '揭东区', 445202001: '中山街道', 445202002: '西马街道', 445203001: '曲溪街道',
                 445202001001: '=进东社区', 445202002001: '西马, "下"社区', 445203001001: '曲溪村' };
const STATIONS = ['s1', 's2', 's3', 's4', 's5', 's6'].map((id) => `station:${id}`);
const EVENTS = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'];
const PEOPLE = Array.from({ length: 30 }, (_, i) => `v${String(i + 1).padStart(2, '0')}`);
const TEAMS = ['榕城轻骑兵', '=蓝天救援队', '"进东"志愿队', '@轻骑兵直属队'];
const CATEGORIES = ['health', 'ecology', 'daily_services', 'science'];
const VISITORS = ['courier', 'delivery_rider', 'lorry_driver', 'streamer', 'other'];
const SERVICES = ['water', 'rest', 'phone_charging', 'microwave'];
const ROSTER = 'team:roster';
export const DAYS = ['2025-02-27', '2025-02-28', '2025-03-01', '2025-03-02', '2025-03-31', '2025-04-01'];

/** Of one run: who writes, and what was written. */
class City {
  constructor(server, chance) {
    Object.assign(this, { server, chance, visits: [], attendances: [], made: 0 });
  }

  /** A moment of a day of the city, as some phone writes it; often on the edge of the day. */
  time(day = this.chance.one(DAYS)) {
    const { chance } = this;
    const clock = chance.happens(0.3) ? chance.one(['00:00:00', '23:59:59', '00:00:29', '23:30:00'])
      : [chance.below(24), chance.below(60), chance.below(60)].map((n) => String(n).padStart(2, '0')).join(':');
    const ms = Date.parse(`${day}T${clock}+08:00`);
    const offset = chance.one([0, 0, 8, 8, 8, 9, -5]);
    const local = new Date(ms + offset * 3_600_000).toISOString().slice(0, 19);
    return offset === 0 ? `${local}Z` : `${local}${offset < 0 ? '-' : '+'}${String(Math.abs(offset)).padStart(2, '0')}:00`;
  }

  places(office) {
    const kinds = { 6: 'district', 9: 'town', 12: 'community' };
    for (const [code, title] of Object.entries(TITLED)) office.edit(code, 'scope', code, { set: { title, code, kind: kinds[code.length] } });
    for (const [i, scope] of STATIONS.entries()) {
      office.edit(scope, 'scope', scope, { set: { title: `驿站 ${i}`, kind: 'station' } });
      if (i === 5) continue; // tapped at, and never entered
      const name = this.chance.one(['火炬驿站', '=北站', ' 西门 "司机" 之家', 'Station, one']) + i;
      const kind = i !== 4 && { division: this.chance.one(VILLAGES), kind: this.chance.one(['rest_station', 'drivers_home']) };
      office.edit(scope, 'station', scope.slice(8), { set: { name, ...kind } });
    }
    for (const id of EVENTS) {
      office.edit(`event:${id}`, 'scope', `event:${id}`, { set: { title: id, kind: 'event' } });
      this.event(office, id);
    }
    office.edit(ROSTER, 'scope', ROSTER, { set: { title: '名册', kind: 'team' } });
    for (const id of PEOPLE) this.person(office, id);
  }

  event(device, id) {
    const { chance } = this;
    const set = { title: `活动 ${chance.one(['义诊', '"清滩"', '=剪纸', '讲座, 二'])} ${id}`, division: chance.one(VILLAGES), lead: chance.one(['黄敏', '-陈伟', '林静']) };
    const more = id !== 'e8' && { category: chance.one(CATEGORIES), ends: `${chance.one(DAYS)}T20:00:00+08:00` };
    device.edit(`event:${id}`, 'event', id, { set: { ...set, ...more } });
  }

  person(device, id) {
    const { chance } = this;
    const name = chance.one(['陈静怡', '=1+1', '郑志强', '吴, "建国"', '林 静']) + id;
    const set = { name, ...(chance.happens(0.8) && { number: `0044${id.slice(1)}` }), ...(chance.happens(0.8) && { team: chance.one(TEAMS) }) };
    device.edit(ROSTER, 'volunteer', id, { set });
  }

  visit(device, more = {}) {
    const { chance } = this;
    const scope = more.scope ?? chance.one(STATIONS);
    const id = more.id ?? `${chance.below(1 << 30).toString(36)}-${++this.made}`;
    const set = { visitor: chance.one(VISITORS), at: this.time(), ...(chance.happens(0.3) && { party_size: 1 + chance.below(9) }), ...more.set };
    const services = chance.some(SERVICES);
    device.edit(scope, 'visit', id, { set, ...(services.length > 0 && { add: { services } }) });
    this.visits.push({ scope, id });
    return { scope, id };
  }

  /** Of a visit, of a correction, of one that is not there yet, of itself. */
  correction(device) {
    const { chance } = this;
    const { scope, id } = chance.one(this.visits);
    this.visit(device, { scope, set: { corrects: id, ...(chance.happens(0.3) && { void: true }) } });
  }

  attendance(device, who = this.chance.one(PEOPLE), event = this.chance.one(EVENTS)) {
    const { chance } = this;
    const id = `${event}~${who}`;
    const day = chance.one(DAYS);
    const set = { event, volunteer: who, ...(chance.happens(0.95) && { signed_in: this.time(day) }), ...(chance.happens(0.7) && { signed_out: this.time(day) }),
                  ...(chance.happens(0.4) && { minutes: chance.below(600) }), ...(chance.happens(0.6) && { points: chance.below(50) }),
                  ...(chance.happens(0.3) && { role: chance.one(['领队', '=签到', '讲解']) }) };
    device.edit(`event:${event}`, 'attendance', id, { set });
    this.attendances.push({ scope: `event:${event}`, id });
  }

  /** Another look at what was entered: moved, confirmed, emptied, deleted. */
  change(device) {
    const { chance } = this;
    const { scope, id } = chance.one(this.attendances);
    const what = chance.below(5);
    if (what === 0) device.edit(scope, 'attendance', id, { set: { signed_in: this.time() } });
    if (what === 1) device.edit(scope, 'attendance', id, { set: { minutes: chance.below(600), points: chance.below(50) } });
    if (what === 2) device.edit(scope, 'attendance', id, { set: { minutes: null, signed_out: this.time() } });
    if (what === 3 && chance.happens(0.5)) device.edit(scope, 'attendance', id, { del: true });
    if (what === 4) this.person(device, chance.one(PEOPLE));
  }

  move(device, scope) {
    device.edit(scope, 'station', scope.slice(8), { set: { division: this.chance.one(VILLAGES) } });
  }

  step(device) {
    const at = this.chance.next();
    if (at < 0.45) this.visit(device);
    else if (at < 0.57) this.correction(device);
    else if (at < 0.8) this.attendance(device);
    else if (at < 0.97) this.change(device);
    else if (at < 0.98) this.event(device, this.chance.one(EVENTS.slice(0, 7)));
    else this.move(device, this.chance.one(STATIONS.slice(0, 4)));
  }
}

/** A city of `seed`. Every kind of change is in it at least once. */
export async function randomCity(server, seed) {
  const chance = new Chance(seed);
  const city = new City(server, chance);
  const office = await enrolledDevice(server);
  city.places(office);
  city.visit(office);
  city.attendance(office);
  await office.sync();
  const devices = [office];
  for (let i = 0; i < 3; ++i) devices.push(await enrolledDevice(server));
  for (let round = 0; round < 8; ++round) {
    for (const device of devices) for (let i = 0; i < 25; ++i) city.step(device);
    // Not all come online each time, nor in one order: much of it meets what it had not seen.
    for (const device of chance.shuffled(chance.some(devices, 0.7))) await device.sync();
  }
  for (const device of devices) await device.sync();
  await oddCorrections(city, devices[1]);
  const desk = new Desk(server);
  const done = { overspent: await points(city, devices[1], devices[2]) };
  await stillThere(city, devices[2]);
  done.merged = await merges(city, desk, devices);
  done.settled = await settle(city, desk, devices);
  done.replayed = await refusedAndReplayed(city, desk, devices[3]);
  office.edit('event:e7', 'event', 'e7', { del: true });
  office.edit('station:s1', 'station', 's1', { set: { division: chance.one(VILLAGES), name: '搬走的驿站' } });
  await office.sync();
  done.erased = (await server.admin('POST', '/v1/persons/v09/erase')).state;
  await desk.close();
  return done;
}

/** Itself, a ring, two for one, one beforehand, and one that names a visit of another station. */
async function oddCorrections(city, device) {
  const [scope, other] = STATIONS;
  const odd = [['self', 'self'], ['ring1', 'ring2'], ['ring2', 'ring1'], ['late', 'early'], ['two1', 'early2'], ['two2', 'early2']];
  for (const [id, corrects] of odd) city.visit(device, { scope, id, set: { corrects } });
  city.visit(device, { scope: other, id: 'elsewhere', set: { corrects: city.visits.find((visit) => visit.scope === scope).id } });
  await device.sync();
  for (const id of ['early', 'early2']) city.visit(device, { scope, id });
  await device.sync();
}

/** Granted, leased, spent; and once spent what was not there. */
async function points(city, granting, spending) {
  const before = spending.refusals().length;
  granting.edit('points', 'scope', 'points', { set: { title: '积分' } });
  for (const who of ['v01', 'v02', 'v05', 'v09']) granting.edit('points', 'balance', who, { grant: { points: 50 + city.chance.below(100) } });
  await granting.sync();
  await spending.sync();
  for (const who of ['v01', 'v02']) spending.edit('points', 'balance', who, { lease: { points: 30 } });
  await spending.sync();
  spending.edit('points', 'balance', 'v01', { spend: { points: 7 } });
  spending.edit('points', 'balance', 'v02', { spend: { points: 11 } });
  spending.edit('points', 'balance', 'v02', { spend: { points: 500 } }); // refused: it happened, and was not valid
  await spending.sync();
  return spending.refusals().length - before;
}

/** People who are signed in now, at an event without an end. */
async function stillThere(city, device) {
  for (const who of ['v10', 'v11', 'v12']) {
    const set = { event: 'e8', volunteer: who, signed_in: new Date(Date.now() - 60_000).toISOString(), signed_out: null, minutes: null };
    device.edit('event:e8', 'attendance', `e8~${who}`, { set });
  }
  await device.sync();
}

/** v01 is v02, who is v05; v03 was v04, and is not. The second in a chain has attended what the last did. */
async function merges(city, desk, devices) {
  for (const who of ['v01', 'v02', 'v05', 'v03', 'v04']) for (const event of ['e1', 'e2']) city.attendance(devices[1], who, event);
  await devices[1].sync();
  for (const [from, into] of [['v01', 'v02'], ['v02', 'v05'], ['v03', 'v04'], ['v06', 'v08']]) await desk.run('duplicates', 'merge', ROSTER, from, into);
  await desk.run('duplicates', 'undo', ROSTER, 'v03');
  city.attendance(devices[2], 'v01', 'e3');
  await devices[2].sync();
  return 3;
}

/** Of the values that lost unseen some are written again, of others the review ends. */
async function settle(city, desk, devices) {
  const { scope, id } = { scope: 'event:e4', id: 'e4~v20' };
  const [, one, other] = devices;
  for (const device of [one, other]) await device.sync();
  one.edit(scope, 'attendance', id, { set: { event: 'e4', volunteer: 'v20', signed_in: '2025-03-01T00:00:00Z', minutes: 111 } });
  other.edit(scope, 'attendance', id, { set: { event: 'e4', volunteer: 'v20', signed_in: '2025-03-02T00:00:00Z', minutes: 222 } });
  await one.sync();
  await other.sync();
  const ofNumbers = ({ coll, kind, field }) => coll === 'attendance' && kind === 'concurrent' && ['minutes', 'signed_in'].includes(field);
  const conflicts = (await city.server.all('/v1/conflicts', 'conflicts')).filter(ofNumbers);
  const own = conflicts.find((each) => each.id === id && each.field === 'minutes');
  const rest = city.chance.shuffled(conflicts.filter((each) => each !== own)).slice(0, 3);
  for (const [i, each] of [own, ...rest].entries()) {
    const name = [`${each.scope}/${each.coll}/${each.id}`, each.field, each.by, String(each.n)];
    await desk.run('conflicts', i % 2 === 0 ? 'take' : 'keep', ...name);
  }
  return 1 + rest.length;
}

async function refusedAndReplayed(city, desk, device) {
  device.edit('event:e5', 'attendance', 'e5~v21', { set: { event: 'e5', volunteer: 'v21', signed_in: city.time(), minutes: 20_000 } });
  device.edit(STATIONS[2], 'visit', 'refused', { set: { visitor: 'courier', at: city.time(), party_size: 0 } });
  await device.sync();
  const refusals = device.refusals();
  let replayed = 0;
  for (const { op } of refusals.filter(({ op }) => op.id === 'e5~v21' || op.id === 'refused')) {
    const set = op.coll === 'visit' ? { ...op.set, party_size: 4 } : { ...op.set, minutes: 75 };
    await desk.run('refused', 'replay', '--op', await desk.file({ set }), `${device.id}~${op.n}`);
    replayed += 1;
  }
  return replayed;
}

/** The office at its command line. */
export class Desk {
  #server;
  #folder = null;

  constructor(server) {
    this.#server = server;
  }

  async run(...words) {
    const at = ['--data', this.#server.data, '--server', new URL(this.#server.url).host];
    const { stdout } = await run(process.env.WAYSTATION, [words[0], ...at, ...words.slice(1)], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  async file(value) {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'waystation-desk-'));
    const path = join(this.#folder, 'op.json');
    await writeFile(path, JSON.stringify(value));
    return path;
  }

  /** Every record of a collection, as `waystation export` writes it. */
  async exported(coll) {
    const lines = (await this.run('export', '--coll', coll, '--format', 'jsonl')).trim();
    return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line));
  }

  async close() {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true });
  }
}
