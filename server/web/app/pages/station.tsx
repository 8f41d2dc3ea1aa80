// A station's counter: one tap a visitor.

import { useMemo, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { clockText, dayOf } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { currentLang, t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { choiceName, text } from '../fields';
import { useRecords, type LiveRecord, type LiveSet } from '../live';
import { may } from '../may';
import { useNow } from '../now';
import { DayChart } from '../parts/day_chart';
import { go } from '../router';
import {
  dayOfStation, recordVisit, rememberedServices, rememberServices, servicesOf, takeBackVisit, visitors,
  type Day, type Visit,
} from '../station';
import { latestHandover } from './shift';

const LATEST_SHOWN = 5;

export function visitWords(visit: { visitor: string; services: string[] }): string {
  const who = choiceName('visit', 'visitor', visit.visitor);
  return [who, visit.services.map((service) => choiceName('visit', 'services', service)).join(t('op.and'))].filter((part) => part !== '').join(t('station.with'));
}

function Services({ offered, chosen, onChange }: { offered: string[]; chosen: string[]; onChange: (next: string[]) => void }) {
  return (
    <section class="stack">
      <div class="head-row">
        <h2>{t('station.services')}</h2>
        {chosen.length > 0 && <Button kind="bare" onClick={() => onChange([])}>{t('station.clear')}</Button>}
      </div>
      <div class="services">
        {offered.map((service) => {
          const on = chosen.includes(service);
          return (
            <button
              type="button"
              class="toggle"
              key={service}
              aria-pressed={on}
              onClick={() => onChange(on ? chosen.filter((name) => name !== service) : [...chosen, service])}
            >
              <Icon name="check" small />
              {choiceName('visit', 'services', service)}
            </button>
          );
        })}
      </div>
    </section>
  );
}

function Latest({ scope, day }: { scope: string; day: Day }) {
  const [all, setAll] = useState(false);
  const visits = all ? day.visits.slice(0, 200) : day.visits.slice(0, LATEST_SHOWN);
  return (
    <section class="card">
      <h2>{t('station.latest')}</h2>
      {visits.length === 0 ? (
        <p class="quiet note">{t('station.no_visits')}</p>
      ) : (
        <ul class="rows">
          {visits.map((visit) => (
            <li class="visit-row" key={visit.id}>
              <span class="when">{clockText(visit.at)}</span>
              <span>
                {visitWords(visit)} <VisitTag record={visit.record} />
              </span>
              <Button kind="bare" label={t('station.undo_one', { visit: visitWords(visit), time: clockText(visit.at) })} onClick={() => void undo(scope, visit)}>
                {t('do.undo')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {!all && day.visits.length > LATEST_SHOWN && <Button kind="bare" onClick={() => setAll(true)}>{t('station.all', { n: day.visits.length })}</Button>}
    </section>
  );
}

function VisitTag({ record }: { record: LiveRecord }) {
  if (record.saving === true) return <Tag icon="clock">{t('state.saving')}</Tag>;
  return record.waiting > 0 ? <Tag tone="wait" icon="clock">{t('state.waiting')}</Tag> : null;
}

async function undo(scope: string, visit: Pick<Visit, 'id' | 'visitor' | 'services'>): Promise<void> {
  if ((await takeBackVisit(scope, visit)) !== null) toast(t('station.undone', { visit: visitWords(visit) }));
}

function Counter({ scope, station, day }: { scope: string; station: LiveRecord; day: Day }) {
  const offered = useMemo(() => servicesOf(station), [station]);
  const [chosen, setChosen] = useState(() => rememberedServices(scope).filter((name) => offered.includes(name)));
  async function tap(visitor: string): Promise<void> {
    const key = await recordVisit(scope, visitor, chosen);
    if (key === null) return;
    const visit = { id: key.id, visitor, services: chosen };
    toast(t('station.recorded', { visit: visitWords(visit) }), { label: t('do.undo'), run: () => void undo(scope, visit) });
  }
  return (
    <div class="stack counter">
      <Services
        offered={offered}
        chosen={chosen}
        onChange={(next) => {
          const inOrder = offered.filter((name) => next.includes(name));
          setChosen(inOrder);
          rememberServices(scope, inOrder);
        }}
      />
      <h2>{t('station.who')}</h2>
      <div class="visitors">
        {visitors().map((visitor) => {
          const name = choiceName('visit', 'visitor', visitor);
          const sum = day.byVisitor.get(visitor) ?? 0;
          return (
            <button type="button" class="visitor" key={visitor} aria-label={t('station.tap', { name, n: sum })} onClick={() => void tap(visitor)}>
              <span class="kind">{name}</span>
              <span class="sum">{sum}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

export function useStationDay(scope: string): { visits: LiveSet; day: Day } {
  const visits = useRecords('visit', scope);
  const today = dayOf(useNow());
  const day = useMemo(() => dayOfStation(visits, today), [visits, visits.version, today]);
  return { visits, day };
}

export function StationHome({ scope }: { scope: string }) {
  const stations = useRecords('station');
  const station = [...stations.records.values()].find((record) => record.scope === scope);
  const { day } = useStationDay(scope);
  const quotas = useRecords('quota', scope);
  const notes = useRecords('note', scope);
  const handover = latestHandover(notes);
  if (station === undefined) return null;
  if (!may('visit', 'create')) {
    return (
      <Banner tone="plain" title={t('station.not_allowed')}>
        <p>{t('station.not_allowed_do')}</p>
      </Banner>
    );
  }
  return (
    <div class="two-columns" lang={currentLang() === 'zh' ? 'zh-CN' : 'en'}>
      <Counter scope={scope} station={station} day={day} />
      <div class="stack">
        <section class="card">
          <div class="head-row">
            <h2>{t('station.today')}</h2>
            <Button kind="bare" icon="chart" onClick={() => go({ page: 'figures', scope })}>{t('station.figures')}</Button>
          </div>
          <p class="big-figure"><b>{day.visits.length}</b><span class="quiet">{t('station.visits')}</span></p>
          <DayChart byHour={day.byHour} />
        </section>
        <Latest scope={scope} day={day} />
        <ul class="menu">
          <li>
            <button type="button" onClick={() => go({ page: 'gifts', scope })}>
              <Icon name="gift" />
              <span>{t('station.gifts')}</span>
              <span class="value num">{t('station.kinds', { n: quotas.records.size })}</span>
            </button>
          </li>
          <li>
            <button type="button" onClick={() => go({ page: 'shift', scope })}>
              <Icon name="note" />
              <span class="ellipsis">{handover === null ? t('station.shift') : text(handover.fields, 'text')}</span>
              <span class="value">{t('station.shift_short')}</span>
            </button>
          </li>
        </ul>
      </div>
    </div>
  );
}
