// The day on a wall screen, to be read from across the room: dark, without navigation, without scrolling. The
// stations and events that do not fit take turns.

import type { ComponentChildren } from 'preact';
import { useEffect, useState, type Dispatch, type StateUpdater } from 'preact/hooks';
import { Banner } from '../../ui/words';
import { explain } from '../api';
import { OfficeIcon, type OfficeIconName } from '../icons';
import { Waiting } from '../parts/table';
import { Count, Districts, EventList, Figures, Fresh, heatOf, HourBars, longDay, mostOf } from '../parts/today_parts';
import { placeText } from '../router';
import { allDistricts, busiestFirst, eventsInOrder, stationName, useDistricts, useToday, type Feed, type StationToday, type Today } from '../today';
import { t } from '../words';
import { cityClock, cityTime } from '../zone';
import { useAway } from './today';
import '../today.css';
import '../wall.css';

const STATIONS_AT_ONCE = 14;
const EVENTS_AT_ONCE = 5;
const TURN_MS = 12_000;

export function WallPage() {
  const feed = useToday({ unattended: true });
  const away = useAway();
  const tab = t('office.tab', { page: t('today.title') });
  useEffect(() => {
    document.title = tab;
  }, [tab]);
  const { today, error, now } = feed;
  return (
    <div class="wall">
      {today === null && error === null && <Waiting />}
      {today === null && error !== null && <Banner tone="bad" title={explain(error)} spoken />}
      {today !== null && (
        <>
          <header class="wall-head">
            <h1 tabIndex={-1}>{t('today.title')}</h1>
            <p>{longDay(now, today.zone)}</p>
            <WallState feed={feed} away={away} zone={today.zone} />
            <time class="num">{cityClock(now, today.zone)}</time>
          </header>
          <WallDay today={today} now={now} />
        </>
      )}
      <WallButtons />
    </div>
  );
}

/** In the head, at a place kept for it: nothing moves when it comes. */
function WallState({ feed, away, zone }: { feed: Feed; away: boolean; zone: string }) {
  const since = cityClock(feed.heard, zone, true);
  if (away) return <p class="wall-banner" role="alert"><OfficeIcon name="offline" />{t('today.wall_away', { time: since })}</p>;
  if (feed.error !== null) return <p class="wall-banner" role="alert"><OfficeIcon name="warn" />{explain(feed.error)}</p>;
  if (feed.stale) return <p class="wall-banner" role="alert"><OfficeIcon name="offline" />{t('today.still', { time: since })}</p>;
  return <Fresh feed={feed} away={away} zone={zone} />;
}

function WallDay({ today, now }: { today: Today; now: number }) {
  const { hour } = cityTime(now, today.zone);
  const { visits, people } = today;
  const districts = allDistricts(today.districts, useDistricts());
  return (
    <div class="wall-body">
      <Figures today={today} now={now} />
      <section class="wall-hours">
        <h2>{t('today.by_hour')}</h2>
        <HourBars hours={visits.hours} hour={hour} />
      </section>
      <section class="wall-districts">
        <h2>{t('today.districts')}</h2>
        <Districts districts={districts} />
      </section>
      <Turning
        name="wall-events" title={t('today.events')} unit={t('today.events_unit')} atOnce={EVENTS_AT_ONCE} items={eventsInOrder(people.events)}
        none={t('today.no_events')} show={(events) => <EventList events={events} zone={today.zone} />}
      />
      <Turning
        name="wall-stations" title={t('today.stations')} atOnce={STATIONS_AT_ONCE} items={busiestFirst(visits.stations)} none={t('today.no_stations')}
        show={(stations) => <StationBars stations={stations} hour={hour} most={mostOf(visits.stations)} />}
      />
    </div>
  );
}

interface TurningProps<Item> {
  name: string;
  title: string;
  unit?: string;
  items: readonly Item[];
  atOnce: number;
  none: string;
  show: (items: readonly Item[]) => ComponentChildren;
}

/** Shows so many at once, one part after the other; it stands still while it is stopped. */
function Turning<Item>({ name, title, unit, items, atOnce, none, show }: TurningProps<Item>) {
  const parts = Math.max(1, Math.ceil(items.length / atOnce));
  const [part, setPart] = useState(0);
  const [stopped, setStopped] = useState(false);
  useTurns(stopped || parts === 1, part, setPart);
  const at = part % parts;
  const from = at * atOnce;
  const shown = items.slice(from, from + atOnce);
  return (
    <section class={name}>
      <div class="head-row">
        <h2>{title}{unit !== undefined && <span class="unit"> {unit}</span>}</h2>
        {parts > 1 && (
          <span class="turns">
            <TurnButton icon="back" label={t('table.earlier')} onClick={() => setPart((at + parts - 1) % parts)} />
            <TurnButton icon={stopped ? 'go_on' : 'hold'} label={t(stopped ? 'today.go_on' : 'today.hold')} onClick={() => setStopped(!stopped)} />
            <TurnButton icon="next" label={t('table.later')} onClick={() => setPart((at + 1) % parts)} />
            <span class="num">{t('today.range', { from: from + 1, to: from + shown.length, n: items.length })}</span>
          </span>
        )}
      </div>
      {items.length === 0 ? <p class="nothing">{none}</p> : show(shown)}
    </section>
  );
}

function TurnButton({ icon, label, onClick }: { icon: OfficeIconName; label: string; onClick: () => void }) {
  return <button type="button" class="button bare icon-only" aria-label={label} title={label} onClick={onClick}><OfficeIcon name={icon} /></button>;
}

function useTurns(still: boolean, part: number, setPart: Dispatch<StateUpdater<number>>): void {
  useEffect(() => {
    if (still) return undefined;
    const timer = setTimeout(() => setPart((n) => n + 1), TURN_MS);
    return () => clearTimeout(timer);
  }, [still, part]);
}

function StationBars({ stations, hour, most }: { stations: readonly StationToday[]; hour: number; most: number }) {
  return (
    <ul class="station-bars">
      {stations.map((station) => (
        <li key={station.scope} data-station={station.scope}>
          <span class="ellipsis">{stationName(station)}</span>
          <span class="strip" aria-hidden="true">
            {heatOf(station, hour, most).map(({ step }, each) => <i key={each} class={step < 0 ? 'ahead' : `heat-${step}`} />)}
          </span>
          <strong><Count n={station.total} /></strong>
          <span class="unseen">{t('today.visits_unit')}</span>
        </li>
      ))}
    </ul>
  );
}

/** For the hand that sets the screen up; out of sight when nothing moves. */
function WallButtons() {
  const [seen, setSeen] = useState(true);
  useEffect(() => {
    let timer = setTimeout(() => setSeen(false), 4_000);
    const stir = () => {
      setSeen(true);
      clearTimeout(timer);
      timer = setTimeout(() => setSeen(false), 4_000);
    };
    addEventListener('pointermove', stir);
    addEventListener('keydown', stir);
    return () => {
      clearTimeout(timer);
      removeEventListener('pointermove', stir);
      removeEventListener('keydown', stir);
    };
  }, []);
  const full = () => void (document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen()).catch(() => undefined);
  return (
    <div class={seen ? 'wall-buttons' : 'wall-buttons away'}>
      <button type="button" class="button" onClick={full}><OfficeIcon name="screen" small /><span>{t('today.full')}</span></button>
      <a class="button" href={placeText('today')}><OfficeIcon name="close" small /><span>{t('today.leave_wall')}</span></a>
    </div>
  );
}
