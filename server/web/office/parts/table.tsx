// A table of the server's rows: headers that sort, rows that open, pages by offset. On a narrow screen each
// row is a small card with its column's names; roles are spelled out, for CSS that changes how a table is laid
// out takes them away in some browsers.

import type { ComponentChildren } from 'preact';
import { Button } from '../../ui/button';
import type { IconName } from '../../ui/icon';
import { Banner, Empty } from '../../ui/words';
import { explain, type ApiError } from '../api';
import { OfficeIcon } from '../icons';
import { t } from '../words';

export interface Column<Row> {
  name: string;
  title: string;
  /** The server can sort by it. */
  sorts?: boolean;
  /** Numbers, at the end of their column. */
  end?: boolean;
  /** Takes the room that is left, and is cut with an ellipsis. */
  grows?: boolean;
  /** Left out on a narrow screen. */
  minor?: boolean;
  cell: (row: Row) => ComponentChildren;
}

export interface Paging {
  offset: number;
  limit: number;
  /** How many rows there are in all that match. */
  matching: number;
  onOffset: (offset: number) => void;
}

interface DataTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** `null`: not read yet. */
  rows: readonly Row[] | null;
  keyOf: (row: Row) => string;
  /** Where a row leads: its first cell is the link, and a click anywhere in the row follows it. */
  hrefOf?: (row: Row) => string;
  /** The field that it is sorted by, "-" before it for downwards. */
  sort?: string;
  onSort?: (sort: string) => void;
  picked?: ReadonlySet<string>;
  onPick?: (picked: Set<string>) => void;
  loading?: boolean;
  error?: ApiError | null;
  onRetry?: () => void;
  empty: { icon: IconName; title: string; about?: ComponentChildren };
  paging?: Paging;
}

function SortHead<Row>({ column, sort, onSort }: { column: Column<Row>; sort: string | undefined; onSort: ((sort: string) => void) | undefined }) {
  const { name, title } = column;
  const down = sort === `-${name}`;
  const on = down || sort === name;
  if (column.sorts !== true || onSort === undefined) return <th role="columnheader" scope="col" class={column.end === true ? 'end' : undefined}>{title}</th>;
  return (
    <th role="columnheader" scope="col" class={column.end === true ? 'end' : undefined} aria-sort={on ? (down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class={on ? 'sort on' : 'sort'} onClick={() => onSort(on && !down ? `-${name}` : name)}>
        <span>{title}</span>
        <OfficeIcon name={down ? 'down' : 'up'} small />
      </button>
    </th>
  );
}

function classOf<Row>({ end, grows, minor }: Column<Row>): string | undefined {
  return [end === true ? 'end num' : '', grows === true ? 'grows' : '', minor === true ? 'minor' : ''].join(' ').trim() || undefined;
}

/** Up and down go from row to row; all else is the browser's. */
function walk(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const link = (event.target as HTMLElement).closest('a.row-link');
  if (link === null) return;
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.row-link')];
  const next = links[links.indexOf(link as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, keyOf, hrefOf, sort, onSort, picked, onPick, paging } = props;
  const picks = picked !== undefined && onPick !== undefined;
  const pick = (key: string, on: boolean) => {
    const next = new Set(picked);
    if (on) next.add(key);
    else next.delete(key);
    onPick?.(next);
  };
  const follow = (event: MouseEvent, href: string) => {
    if ((event.target as HTMLElement).closest('a, button, input, label') !== null || getSelection()?.isCollapsed === false) return;
    if (event.metaKey || event.ctrlKey) open(href, '_blank');
    else location.hash = href;
  };
  return (
    <section class="table-box" aria-label={label} aria-busy={props.loading === true ? 'true' : undefined}>
      {props.error && (
        <Banner tone="bad" title={explain(props.error)} spoken actions={props.onRetry && <Button onClick={props.onRetry}>{t('do.retry')}</Button>} />
      )}
      {rows !== null && rows.length === 0 && !props.error && <Empty icon={props.empty.icon} title={props.empty.title}>{props.empty.about}</Empty>}
      {rows === null && !props.error && <Waiting />}
      {rows !== null && rows.length > 0 && (
        <div class="table-frame" {...(hrefOf === undefined && onSort === undefined && { role: 'group', 'aria-label': label, tabIndex: 0 })}><table class="data" role="table" aria-label={label} onKeyDown={walk}>
          <thead role="rowgroup">
            <tr role="row">
              {picks && (
                <th role="columnheader" scope="col" class="pick">
                  <input
                    type="checkbox"
                    aria-label={t('table.pick_all')}
                    checked={rows.every((row) => picked.has(keyOf(row)))}
                    onChange={(event) => onPick(new Set(event.currentTarget.checked ? rows.map(keyOf) : []))}
                  />
                </th>
              )}
              {columns.map((column) => <SortHead key={column.name} column={column} sort={sort} onSort={onSort} />)}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => {
              const key = keyOf(row);
              const href = hrefOf?.(row);
              return (
                <tr key={key} role="row" class={href === undefined ? undefined : 'opens'} onClick={href === undefined ? undefined : (event) => follow(event, href)}>
                  {picks && (
                    <td role="cell" class="pick">
                      <input type="checkbox" aria-label={t('table.pick', { name: key })} checked={picked.has(key)} onChange={(event) => pick(key, event.currentTarget.checked)} />
                    </td>
                  )}
                  {columns.map((column, i) => (
                    <td key={column.name} role="cell" data-title={column.title} class={classOf(column)}>
                      {i === 0 && href !== undefined ? <a class="row-link" href={href}>{column.cell(row)}</a> : column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table></div>
      )}
      {paging !== undefined && rows !== null && rows.length > 0 && <Pager {...paging} shown={rows.length} />}
    </section>
  );
}

function Pager({ offset, limit, matching, onOffset, shown }: Paging & { shown: number }) {
  return (
    <nav class="pager" aria-label={t('table.pages')}>
      <span class="quiet num" aria-live="polite">{t('table.range', { from: offset + 1, to: offset + shown, n: matching })}</span>
      {matching > limit && (
        <span class="row">
          <Button icon="back" label={t('table.earlier')} off={offset === 0} onClick={() => onOffset(Math.max(0, offset - limit))} />
          <Button icon="next" label={t('table.later')} off={offset + shown >= matching} onClick={() => onOffset(offset + limit)} />
        </span>
      )}
    </nav>
  );
}

/** Above what was read before, while it cannot be read anew. */
export function Behind({ error, onRetry }: { error: ApiError | null; onRetry: () => void }) {
  if (error === null) return null;
  return <Banner tone="wait" title={t('load.behind')} spoken actions={<Button onClick={onRetry}>{t('do.retry')}</Button>}>{explain(error)}</Banner>;
}

/** In the place of what is on its way. */
export function Waiting() {
  return (
    <p class="waiting" role="status">
      <span class="spinner" />
      <span>{t('table.loading')}</span>
    </p>
  );
}
