// What is read off the figures of today.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../api';
import { allDistricts, busiestFirst, eventsInOrder, follow, HEAT_STEPS, heatStep, inOrder, roundUp, untilMidnight, type EventToday, type StationToday } from '../today';
import { cityMoment, cityTime } from '../zone';

function station(scope: string, total: number, name = scope): StationToday {
  return { scope, id: scope, name, division: '', total, hours: [] };
}

const scopes = (stations: StationToday[]) => stations.map(({ scope }) => scope);

test('the busiest station comes first, and equal ones keep their place', () => {
  assert.deepEqual(scopes(busiestFirst([station('b', 1), station('a', 1), station('c', 9)])), ['c', 'a', 'b']);
});

test('rows keep the order on show while their figures change, and a new station comes last', () => {
  assert.deepEqual(scopes(inOrder([station('a', 9), station('b', 1), station('new', 50)], ['b', 'a'])), ['b', 'a', 'new']);
});

test('a station that is gone leaves its row', () => {
  assert.deepEqual(scopes(inOrder([station('a', 1)], ['b', 'a'])), ['a']);
});

test('nought has no colour, one visit has the first, the most has the last', () => {
  assert.equal(heatStep(0, 400), 0);
  assert.equal(heatStep(1, 400), 1);
  assert.equal(heatStep(400, 400), HEAT_STEPS);
  assert.equal(heatStep(500, 400), HEAT_STEPS);
  assert.equal(heatStep(1, 0), 0);
});

test('the scale is a round number at or above the most', () => {
  assert.deepEqual([0, 7, 10, 11, 40, 41, 580, 1001].map(roundUp), [10, 10, 10, 15, 40, 50, 600, 1500]);
});

test('events with people come before open ones, and those before what is over', () => {
  const event = (scope: string, present: number, state: string): EventToday =>
    ({ scope, id: scope, title: scope, division: '', state, starts: '', ends: '', present, came: 0 });
  const order = eventsInOrder([event('over', 0, 'closed'), event('open', 0, 'open'), event('few', 1, 'closed'), event('many', 8, 'open')]);
  assert.deepEqual(order.map(({ scope }) => scope), ['many', 'few', 'open', 'over']);
});

test('a district in which nothing has happened yet has its tile, and one that is not listed too', () => {
  const told = [{ code: '445203', name: '', visits: 2, present: 1 }, { code: '445299', name: '新区', visits: 1, present: 0 }];
  assert.deepEqual(allDistricts(told, [{ code: '445203', name: '揭东区' }, { code: '445202', name: '榕城区' }]), [
    { code: '445202', name: '榕城区', visits: 0, present: 0 },
    { code: '445203', name: '揭东区', visits: 2, present: 1 },
    { code: '445299', name: '新区', visits: 1, present: 0 },
  ]);
});

test('the day and the hour are those of the city, whatever the zone of the screen', () => {
  const late = Date.parse('2026-03-01T23:59:30+08:00');
  assert.deepEqual(cityTime(late, 'Asia/Shanghai'), { day: '2026-03-01', hour: 23, minute: 59, second: 30 });
  assert.equal(cityTime(late + 30_000, 'Asia/Shanghai').day, '2026-03-02');
  assert.equal(cityTime(late + 30_000, 'Asia/Shanghai').hour, 0);
});

test('a zone may be an offset', () => {
  assert.equal(cityMoment(Date.parse('2026-03-01T20:00:05Z'), '+08:00'), '2026-03-02 04:00:05');
  assert.equal(cityMoment(Date.parse('2026-03-01T02:00:00Z'), '-03:30'), '2026-02-28 22:30:00');
});

test('midnight is asked for when it comes, to the millisecond', () => {
  const time = Date.parse('2026-03-01T23:59:30.250+08:00');
  assert.equal(untilMidnight({ time, zone: 'Asia/Shanghai' }), 29_750);
});

test('what is no answer of the server is shown, and not asked for again at once', async () => {
  const realTimeout = globalThis.setTimeout;
  globalThis.setTimeout = (() => 0) as unknown as typeof setTimeout;
  const leaving = new AbortController();
  const told: unknown[] = [];
  let asked = 0;
  globalThis.fetch = (async () => {
    // A loop without a pause would never end.
    if (++asked > 5) leaving.abort();
    return new Response('<html>Sign in to the network</html>');
  }) as typeof fetch;
  const following = follow(leaving.signal, { take: () => undefined, fail: (error) => told.push(error), pause: null });
  for (let i = 0; i < 50; i++) await new Promise((done) => setImmediate(done));
  assert.equal(asked, 1);
  assert.ok(told[0] instanceof ApiError && told[0].code === 'http.no_json');
  leaving.abort();
  await following;
  globalThis.setTimeout = realTimeout;
});
