// The numbers of a report: wide tables scroll within their box, the first column stays in sight.

import { Button } from '../../ui/button';
import { titled } from '../../ui/i18n';
import { OfficeIcon } from '../icons';
import { cellText, isMeasure, type Cell, type ReportColumn, type ReportReply } from '../reports';
import { t } from '../words';

/** Hours are shown of what is kept in minutes: the heading says so. */
export function columnTitle(column: ReportColumn): string {
  return column.type === 'minutes' ? t('report.in_hours', { title: titled(column.title) }) : titled(column.title);
}

function kindOf(column: ReportColumn): string | undefined {
  if (isMeasure(column)) return 'end num';
  return column.type === 'text' ? undefined : 'num';
}

interface ReportTableProps {
  reply: ReportReply;
  label: string;
  sort: string;
  onSort: (sort: string) => void;
}

export function ReportTable({ reply, label, sort, onSort }: ReportTableProps) {
  const { columns, rows, totals, zone } = reply;
  return (
    <div class="report-box" role="region" tabIndex={0} aria-label={label}>
      <table class="report">
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>{columns.map((column) => <Head key={column.name} column={column} sort={sort} onSort={onSort} />)}</tr>
        </thead>
        <tbody>
          {rows.map((row, i) => <Row key={i} row={row} columns={columns} zone={zone} />)}
        </tbody>
        {totals !== null && (
          <tfoot>
            <tr>
              {columns.map((column, i) => (i === 0
                ? <th key={column.name} scope="row">{t('report.total')}</th>
                : <td key={column.name} class={kindOf(column)}>{isMeasure(column) ? cellText(totals[i], column) : ''}</td>))}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}

function Head({ column, sort, onSort }: { column: ReportColumn; sort: string; onSort: (sort: string) => void }) {
  const { name } = column;
  const down = sort === `-${name}`;
  const on = down || sort === name;
  // Of numbers people look for the largest first.
  const first = isMeasure(column) ? `-${name}` : name;
  const other = first === name ? `-${name}` : name;
  return (
    <th scope="col" class={isMeasure(column) ? 'end' : undefined} aria-sort={on ? (down ? 'descending' : 'ascending') : undefined}>
      <button type="button" class={on ? 'sort on' : 'sort'} onClick={() => onSort(sort === first ? other : first)}>
        <span>{columnTitle(column)}</span>
        <OfficeIcon name={(on ? down : first !== name) ? 'down' : 'up'} small />
      </button>
    </th>
  );
}

function Row({ row, columns, zone }: { row: Cell[]; columns: readonly ReportColumn[]; zone: string }) {
  return (
    <tr>
      {columns.map((column, i) => {
        const text = cellText(row[i], column, zone);
        return <td key={column.name} class={kindOf(column)}>{text === '' ? <span class="quiet">–</span> : text}</td>;
      })}
    </tr>
  );
}

interface PagerProps {
  from: number;
  shown: number;
  count: number;
  onFirst?: (() => void) | undefined;
  onNext?: (() => void) | undefined;
}

/** Pages follow one another from the server's mark; back is the browser's way back, or the first page. */
export function ReportPager({ from, shown, count, onFirst, onNext }: PagerProps) {
  return (
    <nav class="pager" aria-label={t('table.pages')}>
      <span class="quiet num" aria-live="polite">{t('table.range', { from: from + 1, to: from + shown, n: count })}</span>
      {(onFirst !== undefined || onNext !== undefined) && (
        <span class="row">
          <Button off={onFirst === undefined} onClick={() => onFirst?.()}>{t('report.first_page')}</Button>
          <Button icon="back" label={t('table.earlier')} off={onFirst === undefined} onClick={() => history.back()} />
          <Button icon="next" label={t('table.later')} off={onNext === undefined} onClick={() => onNext?.()} />
        </span>
      )}
    </nav>
  );
}
