// Today in the city, as the server counts it: the feed that follows it, and what is read off its figures.

import { useEffect, useState } from 'preact/hooks';
import { asApiError, get, isAbort, type ApiError } from './api';
import { useLoad } from './load';
import { whenPresent } from './presence';
import type { RecordRow } from './types';
import { cityTime, tellZone } from './zone';

export interface StationToday {
  scope: string;
  id: string;
  name: string;
  division: string;
  total: number;
  hours: number[];
}

/** An event to which somebody has come today. Its scope is empty where it has no record. */
export interface EventToday {
  scope: string;
  id: string;
  title: string;
  division: string;
  state: string;
  /** RFC 3339, or empty. */
  starts: string;
  ends: string;
  present: number;
  came: number;
}

export interface DistrictToday {
  code: string;
  name: string;
  visits: number;
  present: number;
}

export interface Today {
  /** What the next question names, to be answered when something is new. */
  token: string;
  time: number;
  day: string;
  zone: string;
  visits: { total: number; hours: number[]; stations: StationToday[] };
  people: { present: number; came: number; events: EventToday[] };
  districts: DistrictToday[];
  devices: { known: number; online: number };
  waiting: { ops: number; devices: number; oldest: number | null };
}

// --- read off the figures --------------------------------------------------------------------------------

export const HEAT_STEPS = 5;

/** How full a cell is, from 0 to HEAT_STEPS: by the square root, so that quiet hours are told apart too. */
export function heatStep(n: number, most: number): number {
  return n <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(Math.min(1, n / most)) * HEAT_STEPS));
}

/** The next round number above: the scale moves in steps, not with each visit. */
export function roundUp(n: number): number {
  if (n <= 10) return 10;
  const power = 10 ** Math.floor(Math.log10(n));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= n) ?? 10) * power;
}

/** The busiest first; what is equal stays in the order of its name, so that nothing moves without a reason. */
export function busiestFirst(stations: readonly StationToday[]): StationToday[] {
  return [...stations].sort((a, b) => b.total - a.total || a.name.localeCompare(b.name, 'zh-CN') || (a.scope < b.scope ? -1 : 1));
}

/** `stations` in an order shown before; new ones come last. */
export function inOrder(stations: readonly StationToday[], order: readonly string[]): StationToday[] {
  const places = new Map(order.map((scope, i) => [scope, i]));
  const place = ({ scope }: StationToday) => places.get(scope) ?? places.size;
  return busiestFirst(stations).sort((a, b) => place(a) - place(b));
}

const LIVE = ['open', 'planned'];

/** Where people are comes first, then what is open, then what is over. */
export function eventsInOrder(events: readonly EventToday[]): EventToday[] {
  const rank = ({ present, state }: EventToday) => (present > 0 ? 0 : LIVE.includes(state) ? 1 : 2);
  return [...events].sort((a, b) => rank(a) - rank(b) || b.present - a.present || b.came - a.came || a.title.localeCompare(b.title, 'zh-CN'));
}

/** What a station is called, also where its record has no name or is not there. */
export function stationName({ name, id, scope }: StationToday): string {
  return name || id || scope;
}

/** The city's districts in the order of their codes, those too in which nothing has happened yet. */
export function allDistricts(told: readonly DistrictToday[], known: readonly Pick<DistrictToday, 'code' | 'name'>[]): DistrictToday[] {
  const all = new Map<string, DistrictToday>(known.map(({ code, name }) => [code, { code, name, visits: 0, present: 0 }]));
  for (const district of told) all.set(district.code, { ...district, name: district.name || all.get(district.code)?.name || district.code });
  return [...all.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

// --- the feed --------------------------------------------------------------------------------------------

const WAIT_S = 25;
// The server answers within WAIT_S; what takes longer has got lost on its way.
const ANSWER_MS = (WAIT_S + 8) * 1000;
// A city at noon changes many times a second: an eye follows four.
const LEAST_MS = 250;
const AGAIN_MS = 2_000;
const LAST_AGAIN_MS = 20_000;

export interface Feed {
  today: Today | null;
  /** What the server says in place of an answer. */
  error: ApiError | null;
  /** The screen's clock as the server's, ms. */
  now: number;
  /** When the last answer came, by the server's clock. */
  heard: number;
  /** The figures may be behind: nothing was heard for longer than the server keeps silent. */
  stale: boolean;
  /** Nobody is at the page: it is not followed, and goes on when somebody is back. */
  paused: boolean;
}

/** Follows the day, until the page is left. Draws anew with each answer and each second. `unattended`: a screen
 *  on a wall goes on by itself; a desk that everybody has left does not. */
export function useToday({ unattended = false }: { unattended?: boolean } = {}): Feed {
  const [paused, setPaused] = useState(false);
  const [today, setToday] = useState<Today | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [ahead, setAhead] = useState(0);
  const [heard, setHeard] = useState(Date.now);
  const [clock, setClock] = useState(Date.now);

  useEffect(() => {
    const leaving = new AbortController();
    const take = (reply: Today) => {
      const local = Date.now();
      setToday(reply);
      setError(null);
      setAhead(reply.time - local);
      setHeard(local);
      setClock(local);
    };
    void follow(leaving.signal, { take, fail: setError, pause: unattended ? null : setPaused });
    const timer = setInterval(() => setClock(Date.now()), 1000);
    return () => {
      leaving.abort();
      clearInterval(timer);
    };
  }, []);
  return { today, error, now: clock + ahead, heard: heard + ahead, stale: !paused && clock - heard > ANSWER_MS, paused };
}

const MOST_DISTRICTS = 50;

/** The districts that the city has, read once: the day tells of those alone in which something happens. */
export function useDistricts(): Pick<DistrictToday, 'code' | 'name'>[] {
  const { data } = useLoad('districts', (signal) => get<{ rows: RecordRow[] }>('/v1/lists/scope', { kind: 'district', sort: 'scope', limit: MOST_DISTRICTS }, signal));
  return (data?.rows ?? []).flatMap(({ fields }) => (typeof fields?.code === 'string' ? [{ code: fields.code, name: String(fields.title ?? fields.code) }] : []));
}

interface Follower {
  take: (today: Today) => void;
  fail: (error: ApiError) => void;
  /** `null`: it never pauses. */
  pause: ((paused: boolean) => void) | null;
}

/** Asks again and again, until the page is left. */
export async function follow(leaving: AbortSignal, { take, fail, pause: pauses }: Follower): Promise<void> {
  let last: Today | null = null;
  let fails = 0;
  while (!leaving.aborted) {
    if (pauses !== null) await somebody(leaving, pauses);
    const asked = Date.now();
    try {
      const reply: Today = await ask(last, leaving);
      if (leaving.aborted) return;
      last = reply;
      fails = 0;
      tellZone(reply.zone);
      take(reply);
      await pause(LEAST_MS - (Date.now() - asked), leaving);
    } catch (fault) {
      if (leaving.aborted) return;
      // Asked without a token the server answers at once, and a token of an earlier run misleads nobody.
      last = null;
      // A question that was ended, at midnight or because its answer got lost, is asked anew at once; nothing else.
      if (isAbort(fault)) continue;
      const wrong = asApiError(fault);
      fail(wrong);
      ++fails;
      await pause(wrong.retryAfterMs ?? Math.min(LAST_AGAIN_MS, AGAIN_MS * fails), leaving);
    }
  }
}

/** Waits until somebody is at the page. */
function somebody(leaving: AbortSignal, paused: (paused: boolean) => void): Promise<void> {
  return new Promise((resolve) => {
    let here = false;
    const stop = whenPresent(() => {
      here = true;
      paused(false);
      resolve();
    });
    if (here) return;
    paused(true);
    leaving.addEventListener('abort', () => {
      stop();
      resolve();
    }, { once: true });
  });
}

/** Ends early, to be asked anew, when the day turns and when no answer comes. */
async function ask(last: Today | null, leaving: AbortSignal): Promise<Today> {
  const ending = new AbortController();
  const end = () => ending.abort();
  const turn = last === null ? ANSWER_MS : untilMidnight(last) + LEAST_MS;
  const timer = setTimeout(end, Math.min(ANSWER_MS, turn));
  leaving.addEventListener('abort', end);
  try {
    return await get<Today>('/v1/today', last === null ? {} : { after: last.token, wait_s: WAIT_S }, ending.signal);
  } finally {
    clearTimeout(timer);
    leaving.removeEventListener('abort', end);
  }
}

export function untilMidnight({ time, zone }: Pick<Today, 'time' | 'zone'>): number {
  const { hour, minute, second } = cityTime(time, zone);
  return ((24 - hour) * 3600 - minute * 60 - second) * 1000 - (time % 1000);
}

function pause(ms: number, leaving: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      leaving.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    leaving.addEventListener('abort', done);
  });
}
