// Today at this station, all tablets together.

import { momentText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { choiceName, text } from '../fields';
import { useRecords, useStatus } from '../live';
import { useNow } from '../now';
import { DayChart } from '../parts/day_chart';
import { Screen } from '../parts/screen';
import { useStationDay } from './station';

function Table({ title, field, sums }: { title: string; field: string; sums: Map<string, number> }) {
  const rows = [...sums].sort((a, b) => b[1] - a[1]);
  return (
    <section class="card">
      <h2>{title}</h2>
      {rows.length === 0 && <p class="quiet note">{t('station.no_visits')}</p>}
      <dl class="facts num">
        {rows.map(([name, n]) => [<dt key={name}>{choiceName('visit', field, name)}</dt>, <dd key={`${name}=`}>{n}</dd>])}
      </dl>
    </section>
  );
}

export function FiguresPage({ scope }: { scope: string }) {
  const { day } = useStationDay(scope);
  const status = useStatus();
  const time = useNow();
  const station = [...useRecords('station').records.values()].find((record) => record.scope === scope);
  const fresh =
    status.connection === 'live'
      ? t('figures.fresh')
      : status.lastContact === null
        ? t('figures.own')
        : t('figures.as_of', { time: momentText(status.lastContact, time) });
  return (
    <Screen title={t('figures.title')} second={station && text(station.fields, 'name')} up={{ page: 'home' }} wide>
      <p class="quiet note">{fresh}</p>
      <section class="card">
        <p class="big-figure"><b>{day.visits.length}</b><span class="quiet">{t('station.visits')}</span></p>
        <DayChart byHour={day.byHour} />
      </section>
      <div class="two-columns">
        <Table title={t('figures.visitors')} field="visitor" sums={day.byVisitor} />
        <Table title={t('figures.services')} field="services" sums={day.byService} />
      </div>
    </Screen>
  );
}
