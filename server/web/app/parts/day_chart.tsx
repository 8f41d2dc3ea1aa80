import { t } from '../../ui/i18n';
import { now } from '../now';

/** Bars by hour, from the first hour that the station is open for to now. */
export function DayChart({ byHour }: { byHour: number[] }) {
  const hourNow = new Date(now()).getHours();
  const first = Math.min(8, ...byHour.map((n, hour) => (n > 0 ? hour : 24)));
  const last = Math.max(19, hourNow, ...byHour.map((n, hour) => (n > 0 ? hour : 0)));
  const most = Math.max(4, ...byHour);
  const hours = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return (
    <ol class="bars" aria-label={t('chart.label')}>
      {hours.map((hour) => {
        const n = byHour[hour] ?? 0;
        return (
          <li key={hour} class={hour === hourNow ? 'now' : ''}>
            <span aria-hidden="true">{n > 0 ? n : ''}</span>
            <i class="bar" style={{ height: `${(n / most) * 100}%` }} />
            <span class="hour" aria-hidden="true">{hour}</span>
            <span class="unseen">{t('chart.hour', { hour, n })}</span>
          </li>
        );
      })}
    </ol>
  );
}
