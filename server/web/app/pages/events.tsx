// The home of volunteers and team leads: today's events, those to come, those that were.

import { useMemo, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { clockText, dayText } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { t } from '../../ui/i18n';
import { Empty, Tag } from '../../ui/words';
import { eventOf, groupEvents, isToday, type EventView } from '../events';
import { choiceName } from '../fields';
import { useRecords, useStatus } from '../live';
import { useNow } from '../now';
import { go } from '../router';

const PAST_SHOWN = 5;

export function whenText(event: EventView, time: number): string {
  if (event.starts === null) return t('event.no_time');
  const ends = event.ends === null ? '' : `–${clockText(event.ends)}`;
  return `${isToday(event.starts, time) ? '' : `${dayText(event.starts, time)} `}${clockText(event.starts)}${ends}`;
}

function StateTag({ state }: { state: string }) {
  if (state !== 'closed' && state !== 'cancelled') return null;
  return <Tag tone={state === 'cancelled' ? 'bad' : 'good'}>{choiceName('event', 'state', state)}</Tag>;
}

function EventCard({ event, time }: { event: EventView; time: number }) {
  return (
    <li>
      <button type="button" class="event-card" onClick={() => go({ page: 'event', scope: event.scope, id: event.id })}>
        <span class="stack tight">
          <strong>{event.title}</strong>
          <span class="meta">
            <span class="with-icon num"><Icon name="clock" small />{whenText(event, time)}</span>
            {event.place !== '' && <span class="with-icon"><Icon name="pin" small />{event.place}</span>}
          </span>
          <span class="row">
            <StateTag state={event.state} />
            {event.category !== '' && <Tag>{choiceName('event', 'category', event.category)}</Tag>}
          </span>
        </span>
        <Icon name="next" />
      </button>
    </li>
  );
}

export function EventsHome() {
  const events = useRecords('event');
  const status = useStatus();
  const time = useNow();
  const [allPast, setAllPast] = useState(false);
  const groups = useMemo(() => groupEvents([...events.records.values()].map(eventOf), time), [events.version, time]);
  if (events.records.size === 0) return <NoEvents filling={status.filling !== null || status.lastContact === null} />;
  const past = allPast ? groups.past : groups.past.slice(0, PAST_SHOWN);
  const section = (title: string, list: EventView[]) =>
    list.length > 0 && (
      <section class="stack">
        <h2>{title}</h2>
        <ul class="stack event-list">
          {list.map((event) => <EventCard key={`${event.scope} ${event.id}`} event={event} time={time} />)}
        </ul>
      </section>
    );
  return (
    <>
      {groups.today.length === 0 && <p class="card quiet">{t('events.none_today')}</p>}
      {section(t('events.today'), groups.today)}
      {section(t('events.coming'), groups.coming)}
      {section(t('events.past'), past)}
      {groups.past.length > past.length && <Button wide onClick={() => setAllPast(true)}>{t('events.all_past', { n: groups.past.length })}</Button>}
    </>
  );
}

function NoEvents({ filling }: { filling: boolean }) {
  if (filling) {
    return (
      <Empty icon="sync" title={t('events.loading')}>
        <p class="quiet">{t('events.loading_do')}</p>
      </Empty>
    );
  }
  return (
    <Empty icon="calendar" title={t('events.empty')}>
      <p class="quiet">{t('events.empty_do')}</p>
    </Empty>
  );
}
