import type { RecordKey } from '../../sdk/types';
import { get } from '../api';
import { conflictHref, readOpen } from '../conflicts';
import { useLoad } from '../load';
import { fieldTitle } from '../names';
import { valueText } from '../op_text';
import { t } from '../words';
import { When } from './time';

/** The values of one record that wait for review. */
export function RecordConflicts({ record, seq }: { record: RecordKey; seq: number }) {
  const { data } = useLoad(`${record.scope} ${record.coll} ${record.id} ${seq}`, (signal) => readOpen(record, (path, query) => get(path, query, signal)));
  if (data === null || data.length === 0) return null;
  return (
    <section class="card waits" aria-label={t('conflicts.title')}>
      <h2>{t('conflicts.here', { n: data.length })}</h2>
      <ul class="plain-list">
        {data.map((conflict) => (
          <li key={conflictHref(conflict)}>
            <a href={conflictHref(conflict)}>{fieldTitle(conflict.coll, conflict.field)}: {valueText(conflict.coll, conflict.field, conflict.value)}</a> <span class="small quiet"><When ms={conflict.stamp} /></span>
          </li>
        ))}
      </ul>
    </section>
  );
}
