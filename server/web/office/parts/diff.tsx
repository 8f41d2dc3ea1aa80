// Values side by side: what was, what is, and (where somebody is typing) what one would make of it.

import type { ComponentChildren } from 'preact';
import { t } from '../words';

export interface DiffRow {
  label: string;
  before: ComponentChildren;
  after: ComponentChildren;
  mine?: ComponentChildren;
}

export function FieldDiff({ label, rows, titles }: { label: string; rows: readonly DiffRow[]; titles?: { before?: string; after?: string; mine?: string } }) {
  const hasMine = rows.some(({ mine }) => mine !== undefined);
  return (
    <table class="diff" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{t('diff.field')}</th>
          <th scope="col">{titles?.before ?? t('diff.before')}</th>
          <th scope="col">{titles?.after ?? t('diff.after')}</th>
          {hasMine && <th scope="col">{titles?.mine ?? t('diff.mine')}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label: name, before, after, mine }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{before === after ? before : <del>{before}</del>}</td>
            <td>{before === after ? after : <ins>{after}</ins>}</td>
            {hasMine && <td>{mine}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
