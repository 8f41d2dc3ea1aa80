// The office's first page: the city's day, followed as it happens.

import type { VNode } from 'preact';
import { useEffect, useRef, useState, type MutableRef } from 'preact/hooks';
import { two } from '../../ui/format';
import { currentLang } from '../../ui/i18n';
import { Banner, Empty } from '../../ui/words';
import { explain, onAway } from '../api';
import { OfficeIcon } from '../icons';
import { PageHead } from '../parts/header';
import { Waiting } from '../parts/table';
import { countText, Districts, EventList, Figures, Fresh, HeatLegend, heatOf, HourBars, HOURS, longDay, mostOf } from '../parts/today_parts';
import { placeText } from '../router';
import { allDistricts, busiestFirst, eventsInOrder, inOrder, stationName, useDistricts, useToday, type Feed, type StationToday, type Today } from '../today';
import { t } from '../words';
import { cityTime } from '../zone';
import '../today.css';

/** Rows change places at most this often, and never under somebody's hand. */
const ORDER_MS = 10_000;

export function useAway(): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => onAway(setAway), []);
  return away;
}

export function TodayPage() {
  const feed = useToday();
  const away = useAway();
  const { today, error } = feed;
  return (
    <>
      <PageHead
        title={t('today.title')}
        about={today === null ? undefined : <>{longDay(feed.now, today.zone)} <Fresh feed={feed} away={away} zone={today.zone} /></>}
        actions={<a class="button" href={placeText('wall')}><OfficeIcon name="screen" small /><span>{t('today.to_wall')}</span></a>}
      />
      <Trouble feed={feed} away={away} />
      {today === null && error === null && <Waiting />}
      {today !== null && <Day today={today} now={feed.now} />}
    </>
  );
}

/** One banner at a time: that the server is away is said by the frame. */
function Trouble({ feed, away }: { feed: Feed; away: boolean }) {
  const { error, stale } = feed;
  if (away) return null;
  if (error !== null) return <Banner tone="bad" title={explain(error)} spoken />;
  return stale ? <Banner tone="wait" icon="offline" title={t('today.stale')} spoken>{t('today.stale_more')}</Banner> : null;
}

function Day({ today, now }: { today: Today; now: number }) {
  const { hour } = cityTime(now, today.zone);
  const { visits, people } = today;
  const districts = allDistricts(today.districts, useDistricts());
  return (
    <div class="today">
      <Figures today={today} now={now} />
      <div class="columns">
        <section class="card">
          <div class="head-row"><h2>{t('today.by_hour')}</h2></div>
          <HourBars hours={visits.hours} hour={hour} />
        </section>
        <section class="card">
          <div class="head-row"><h2>{t('today.events')}</h2><span class="quiet small">{t('today.events_unit')}</span></div>
          {people.events.length === 0
            ? <p class="nothing quiet">{t('today.no_events')}</p>
            : <div class="events-box" role="region" tabIndex={0} aria-label={t('today.events')}><EventList events={eventsInOrder(people.events)} zone={today.zone} /></div>}
        </section>
      </div>
      {districts.length > 0 && (
        <section class="plain-part">
          <h2>{t('today.districts')}</h2>
          <Districts districts={districts} />
        </section>
      )}
      <Stations stations={visits.stations} hour={hour} />
    </div>
  );
}

/** The order on show: renewed now and then, left alone while the pointer or the focus is within. */
function useCalmOrder(stations: readonly StationToday[], held: MutableRef<boolean>): StationToday[] {
  const order = useRef<string[]>([]);
  const at = useRef(0);
  const now = Date.now();
  if (order.current.length === 0 || (now - at.current >= ORDER_MS && !held.current)) {
    order.current = busiestFirst(stations).map(({ scope }) => scope);
    at.current = now;
  }
  return inOrder(stations, order.current);
}

function Stations({ stations, hour }: { stations: readonly StationToday[]; hour: number }) {
  const held = useRef(false);
  const shown = useCalmOrder(stations, held);
  const most = mostOf(stations);
  const drawn = useRef(new Map<string, { stamp: string; row: VNode }>());
  if (stations.length === 0) {
    return (
      <section class="plain-part">
        <h2>{t('today.stations')}</h2>
        <Empty icon="house" title={t('today.no_stations')}>{t('today.no_stations_more')}</Empty>
      </section>
    );
  }
  const rows = new Map<string, { stamp: string; row: VNode }>();
  for (const station of shown) {
    const stamp = `${currentLang()} ${station.name} ${station.hours.join()} ${hour} ${most}`;
    const before = drawn.current.get(station.scope);
    // A row as it was costs nothing to draw: of 159 one or two change at a time.
    rows.set(station.scope, before?.stamp === stamp ? before : { stamp, row: <StationRow key={station.scope} station={station} hour={hour} most={most} /> });
  }
  drawn.current = rows;
  const hold = (on: boolean) => () => {
    held.current = on;
  };
  return (
    <section class="card stations">
      <div class="head-row">
        <h2>{t('today.stations')} <span class="quiet small num">{countText(stations.length)}</span></h2>
        <HeatLegend most={most} />
      </div>
      <div class="heat-box" role="region" tabIndex={0} aria-label={t('today.stations')} onPointerEnter={hold(true)} onPointerLeave={hold(false)} onFocusIn={hold(true)} onFocusOut={hold(false)}>
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">{t('today.station')}</th>
              <th scope="col" class="end">{t('today.day_total')}</th>
              {HOURS.map((each) => <th key={each} scope="col" class={each === hour ? 'hour now' : 'hour'}>{two(each)}</th>)}
            </tr>
          </thead>
          <tbody>{[...rows.values()].map(({ row }) => row)}</tbody>
        </table>
      </div>
    </section>
  );
}

function StationRow({ station, hour, most }: { station: StationToday; hour: number; most: number }) {
  return (
    <tr data-station={station.scope}>
      <th scope="row"><span class="ellipsis" title={stationName(station)}>{stationName(station)}</span></th>
      <td class="end total num">{countText(station.total)}</td>
      {heatOf(station, hour, most).map(({ step, text }, each) => <td key={each} class={step < 0 ? 'cell ahead' : `cell heat-${step}`}>{text}</td>)}
    </tr>
  );
}
