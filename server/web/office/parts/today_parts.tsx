// What the page of today and the wall are made of. All of it keeps its size while its figures change.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { spanText, timeOf, two } from '../../ui/format';
import { currentLang } from '../../ui/i18n';
import { HEAT_STEPS, heatStep, roundUp, type DistrictToday, type EventToday, type Feed, type StationToday, type Today } from '../today';
import { hasSentence, t } from '../words';
import { cityClock, knownZone } from '../zone';

export const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** 12345 → "12,345". */
export function countText(n: number): string {
  return n.toLocaleString(currentLang() === 'zh' ? 'zh-CN' : 'en-GB');
}

export function longDay(ms: number, zone: string): string {
  const { timeZone, shift } = knownZone(zone);
  return new Intl.DateTimeFormat(currentLang() === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone, year: 'numeric', month: 'long', day: 'numeric', weekday: 'long',
  }).format(ms + shift);
}

/** Lights up shortly when its number changes. */
export function Count({ n }: { n: number }) {
  const before = useRef(n);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (before.current === n) return;
    before.current = n;
    setTurn((old) => old + 1);
  }, [n]);
  return <span key={turn} class={turn === 0 ? 'num' : 'num changed'}>{countText(n)}</span>;
}

interface FigureProps {
  name: string;
  title: string;
  about: string;
  children: ComponentChildren;
}

function Figure({ name, title, about, children }: FigureProps) {
  return (
    <div class="figure" data-figure={name}>
      <dt>{title}</dt>
      <dd><strong>{children}</strong><span class="about" title={about}>{about}</span></dd>
    </div>
  );
}

export function Figures({ today, now }: { today: Today; now: number }) {
  const { visits, people, devices, waiting } = today;
  const busy = visits.stations.filter(({ total }) => total > 0).length;
  const live = people.events.filter(({ present }) => present > 0).length;
  return (
    <dl class="big-figures" aria-label={t('today.figures')}>
      <Figure name="visits" title={t('today.visits')} about={t('today.visits_at', { n: busy })}><Count n={visits.total} /></Figure>
      <Figure name="present" title={t('today.present')} about={t('today.present_at', { n: live })}><Count n={people.present} /></Figure>
      <Figure name="came" title={t('today.came')} about={t('today.came_at', { n: people.events.length })}><Count n={people.came} /></Figure>
      <Figure name="online" title={t('today.online')} about={t('today.of_known', { n: countText(devices.known) })}><Count n={devices.online} /></Figure>
      <Figure name="waiting" title={t('today.waiting')} about={waitingText(waiting, now)}><Count n={waiting.ops} /></Figure>
    </dl>
  );
}

function waitingText({ ops, devices, oldest }: Today['waiting'], now: number): string {
  if (ops === 0) return t('today.waiting_none');
  const on = t('today.waiting_on', { n: devices });
  return oldest === null || oldest === 0 ? on : `${on}${t('today.between')}${t('today.oldest', { span: spanText(now - oldest) })}`;
}

// --- hours -----------------------------------------------------------------------------------------------

/** Visits by hour of the city. What lies ahead is empty, not nought. */
export function HourBars({ hours, hour }: { hours: readonly number[]; hour: number }) {
  const top = roundUp(Math.max(...hours));
  return (
    <div class="hour-chart">
      <div class="scale" aria-hidden="true">{[1, 0.5, 0].map((part) => <span key={part}>{countText(top * part)}</span>)}</div>
      <ol class="hour-bars" aria-label={t('today.by_hour')}>
        {HOURS.map((each) => (
          <li key={each} class={each === hour ? 'now' : each > hour ? 'ahead' : undefined} title={hourText(each, hours[each] ?? 0)}>
            <span class="unseen">{each > hour ? '' : hourText(each, hours[each] ?? 0)}</span>
            <span class="track" aria-hidden="true"><i style={{ height: `${((hours[each] ?? 0) / top) * 100}%` }} /></span>
            <span class="tick" aria-hidden="true">{each % 3 === 0 ? two(each) : ''}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function hourText(hour: number, n: number): string {
  return t('today.hour_visits', { from: `${two(hour)}:00`, n: countText(n) });
}

// --- districts -------------------------------------------------------------------------------------------

export function Districts({ districts }: { districts: readonly DistrictToday[] }) {
  const most = Math.max(1, ...districts.map(({ visits }) => visits));
  return (
    <ul class="districts">
      {districts.map(({ code, name, visits, present }) => (
        <li key={code} class="tile" data-district={code}>
          <h3>{name}</h3>
          <p class="visits"><strong><Count n={visits} /></strong> <span>{t('today.visits_unit')}</span></p>
          <p class="present">{t('today.present_n', { n: countText(present) })}</p>
          <span class="share" aria-hidden="true"><i style={{ width: `${(visits / most) * 100}%` }} /></span>
        </li>
      ))}
    </ul>
  );
}

// --- events ----------------------------------------------------------------------------------------------

function spanOf({ starts, ends }: EventToday, zone: string): string {
  const [from, to] = [starts, ends].map((time) => {
    const ms = timeOf(time);
    return ms === null ? '' : cityClock(ms, zone);
  });
  return from === '' && to === '' ? '' : `${from}–${to}`;
}

export function stateText(state: string): string {
  const key = `event_state.${state}`;
  return hasSentence(key) ? t(key) : state;
}

export function EventList({ events, zone }: { events: readonly EventToday[]; zone: string }) {
  return (
    <ul class="events">
      {events.map((event) => (
        <li key={event.id} class={event.present > 0 ? 'live' : undefined}>
          <span class="words">
            <span class="title" title={event.title}>{event.title || event.id}</span>
            <span class="when">{[spanOf(event, zone), stateText(event.state)].filter((text) => text !== '').join(' · ')}</span>
          </span>
          <span class="people">
            <strong><Count n={event.present} /></strong>{' '}
            <span>{t('today.of_came', { n: countText(event.came) })}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

// --- stations --------------------------------------------------------------------------------------------

/** 24 cells of one station; read as a table where it stands in one. */
export function heatOf(station: StationToday, hour: number, most: number): { step: number; text: string }[] {
  return HOURS.map((each) => {
    const n = station.hours[each] ?? 0;
    return each > hour ? { step: -1, text: '' } : { step: heatStep(n, most), text: n === 0 ? '' : String(n) };
  });
}

/** The busiest hour of any station, in steps, so that the colours do not all shift with one visit. */
export function mostOf(stations: readonly StationToday[]): number {
  return roundUp(Math.max(0, ...stations.flatMap(({ hours }) => hours)));
}

export function HeatLegend({ most }: { most: number }) {
  return (
    <p class="heat-legend" aria-hidden="true">
      <span>{t('today.fewer')}</span>
      {Array.from({ length: HEAT_STEPS }, (_, i) => <i key={i} class={`heat-${i + 1}`} />)}
      <span>{t('today.more', { n: countText(most) })}</span>
    </p>
  );
}

// --- how fresh it is -------------------------------------------------------------------------------------

/** "Live", or since when not. */
export function Fresh({ feed, away, zone }: { feed: Feed; away: boolean; zone: string }) {
  const still = away || feed.stale || feed.paused || feed.error !== null;
  return (
    <span class={still ? 'fresh still' : 'fresh'} role="status">
      <i aria-hidden="true" />
      <span>{still ? t('today.still', { time: cityClock(feed.heard, zone, true) }) : t('today.live')}</span>
    </span>
  );
}
