import type { Fields } from '../../sdk/types';
import { momentText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { device } from '../device';
import { entries } from '../fields';
import { now } from '../now';

/** A log field, the latest entry first. */
export function LogEntries({ fields, name }: { fields: Fields; name: string }) {
  const list = [...entries(fields, name)].reverse();
  const own = device().status().device;
  if (list.length === 0) return null;
  return (
    <ul class="rows">
      {list.map((entry) => (
        <li class="entry" key={`${entry.at} ${entry.by} ${entry.v}`}>
          <span class="pre">{entry.v}</span>
          <span class="when num">
            {momentText(entry.at, now())} · {t(entry.by === own ? 'log.own' : 'log.other')}
          </span>
        </li>
      ))}
    </ul>
  );
}
