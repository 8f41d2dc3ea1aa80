// One report: its period, its dimensions, a chart, the table. All that is chosen stands in the address.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { currentLang, titled } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Banner, Empty } from '../../ui/words';
import { ApiError, explain, get, withQuery } from '../api';
import { OfficeIcon } from '../icons';
import { useLoad } from '../load';
import { DownloadLink, DownloadState, useDownload, type Download } from '../parts/download';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { ReportChart } from '../parts/report_chart';
import { DimensionChoice, filterText, PeriodChoice, ReportFilters } from '../parts/report_filters';
import { columnTitle, ReportPager, ReportTable } from '../parts/report_table';
import { Waiting } from '../parts/table';
import { pictureOf, type Picture } from '../report_series';
import { filtersOf, isTime, periodOf, type Period, type ReportInfo, type ReportReply } from '../reports';
import { changeQuery, go, placeText, type Place, type Query } from '../router';
import { t } from '../words';
import { cityMoment, cityZone, tellZone } from '../zone';
import '../reports.css';

const PAGE_ROWS = 100;
const CHART_ROWS = 1000;
/** More than these belong in a file, not on paper. */
const PRINT_ROWS = 2000;

/** What is asked for, read off the address. */
interface Asked {
  period: Period;
  by: string[];
  filters: Record<string, string>;
  sort: string;
  measure: string;
  /** Figures that are counted only when they are named. */
  measures: string;
  after: string;
  at: number;
}

function askedOf(query: URLSearchParams, info: ReportInfo): Asked {
  const month = periodOf('month', Date.now(), cityZone());
  const known = new Set(info.dimensions.map(({ name }) => name));
  const by = (query.get('by') ?? '').split(',').filter((name) => known.has(name));
  const filters: Record<string, string> = {};
  for (const name of filtersOf(info)) {
    const value = query.get(name);
    if (value !== null) filters[name] = value;
  }
  const measures = info.measures.map(({ name }) => name);
  const measure = query.get('measure') ?? '';
  return {
    period: { from: query.get('from') ?? month.from, to: query.get('to') ?? month.to },
    by: by.length > 0 ? by : info.by,
    filters,
    sort: query.get('sort') ?? '',
    measure: measures.includes(measure) ? measure : measures[0] ?? '',
    measures: query.get('measures') ?? '',
    after: query.get('after') ?? '',
    at: Math.max(0, Number(query.get('at') ?? 0) || 0),
  };
}

function questionOf({ period, by, filters, measures, sort }: Asked): Query {
  return { ...period, by: by.join(','), measures, ...filters, sort, lang: currentLang() };
}

export function ReportPage({ parts, query }: Place) {
  const name = parts[0] ?? '';
  const { data, error, reload } = useLoad('reports', (signal) => get<{ reports: ReportInfo[] }>('/v1/reports', {}, signal));
  const info = data?.reports.find(({ report }) => report === name);
  const within = { title: t('reports.title'), href: placeText('reports') };
  if (info !== undefined) return <Report info={info} query={query} />;
  return (
    <>
      <PageHead title={t('reports.title')} within={within} />
      {error !== null && <Banner tone="bad" title={explain(error)} spoken actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      {error === null && (data === null ? <Waiting /> : <Empty icon="search" title={t('report.unknown')} />)}
    </>
  );
}

function Report({ info, query }: { info: ReportInfo; query: URLSearchParams }) {
  const asked = askedOf(query, info);
  const question = questionOf(asked);
  const path = `/v1/reports/${info.report}`;
  const { data, error, loading, reload } = useLoad(`${withQuery(path, question)} ${asked.after}`, async (signal) => {
    const reply = await get<ReportReply>(path, { ...question, limit: PAGE_ROWS, after: asked.after }, signal);
    tellZone(reply.zone);
    return reply;
  });
  // Another question begins at its first page.
  const ask = (changes: Query) => changeQuery({ after: '', at: '', ...changes });
  const print = usePrinting(path, question, data);
  const download = useDownload();
  const shown = print.reply ?? data;
  return (
    <div class="report-page" aria-busy={loading ? 'true' : undefined}>
      <PageHead
        title={titled(info.title)}
        about={titled(info.about)}
        within={{ title: t('reports.title'), href: placeText('reports') }}
        actions={data?.count === 0 ? undefined : <Downloads path={path} question={question} print={print} download={download} />}
      />
      <DownloadState download={download} />
      <section class="card asking no-print" aria-label={t('report.asking')}>
        <PeriodChoice period={asked.period} zone={cityZone()} onChange={(period) => ask({ ...period })} />
        {!info.detail && <DimensionChoice info={info} by={asked.by} onChange={(by) => ask({ by: by.join(','), sort: '' })} />}
        <ReportFilters info={info} filters={asked.filters} onChange={(name, value) => ask({ [name]: value })} />
      </section>
      {error !== null && <Fault error={error} onRetry={reload} onUsual={() => ask({ by: '', sort: '' })} />}
      {error === null && data === null && <Waiting />}
      {error === null && shown !== null && (shown.count === 0
        ? <Empty icon="chart" title={t('report.none')}><p>{t('report.none_more', { ...asked.period })}</p></Empty>
        : (
          <>
            <PrintHead reply={shown} info={info} asked={asked} all={print.reply !== null} />
            {data !== null && !info.detail && <Chart info={info} asked={asked} path={path} reply={data} />}
            <ReportTable reply={shown} label={titled(info.title)} sort={asked.sort} onSort={(sort) => ask({ sort })} />
            <ReportPager
              from={asked.at}
              shown={shown.rows.length}
              count={shown.count}
              onFirst={asked.after === '' ? undefined : () => ask({})}
              onNext={shown.next === undefined ? undefined : () => {
                const next = new URLSearchParams(query);
                next.set('after', shown.next ?? '');
                next.set('at', String(asked.at + shown.rows.length));
                go(placeText('reports', [info.report], next));
              }}
            />
            <p class="small quiet no-print">{t('report.made', { time: cityMoment(shown.time, shown.zone), zone: shown.zone })}</p>
          </>
        ))}
    </div>
  );
}

/** Some questions cannot be counted; the way back is the question that always can. */
function Fault({ error, onRetry, onUsual }: { error: ApiError; onRetry: () => void; onUsual: () => void }) {
  const asks = error.status === 400 || error.status === 413 || error.status === 422;
  return (
    <Banner tone={asks ? 'wait' : 'bad'} title={explain(error)} spoken actions={asks
      ? <Button onClick={onUsual}>{t('report.usual')}</Button>
      : <Button onClick={onRetry}>{t('do.retry')}</Button>} />
  );
}

interface DownloadsProps {
  path: string;
  question: Query;
  print: Printing;
  download: Download;
}

function Downloads({ path, question, print, download }: DownloadsProps) {
  return (
    <>
      <button type="button" class="button" aria-disabled={print.busy ? 'true' : undefined} onClick={print.start}><OfficeIcon name="print" small /><span>{t('do.print')}</span></button>
      <DownloadLink what="CSV" href={withQuery(`${path}.csv`, question)} download={download} />
      <DownloadLink what="XLSX" href={withQuery(`${path}.xlsx`, question)} primary download={download} />
    </>
  );
}

// --- the chart -------------------------------------------------------------------------------------------

/** Of more rows than a page the chart reads its own: the largest, or all days. */
function useChartRows(path: string, asked: Asked, reply: ReportReply): ReportReply | null {
  const whole = asked.after === '' && reply.next === undefined;
  const along = reply.columns.some((column) => isTime(column) && asked.by.includes(column.name));
  const question = { ...questionOf(asked), sort: along ? '' : `-${asked.measure}`, limit: CHART_ROWS };
  const { data } = useLoad(whole ? '' : withQuery(path, question), (signal) => (whole ? Promise.resolve(null) : get<ReportReply>(path, question, signal)));
  return whole ? reply : data;
}

function Chart({ info, asked, path, reply }: { info: ReportInfo; asked: Asked; path: string; reply: ReportReply }) {
  const rows = useChartRows(path, asked, reply);
  const lang = currentLang();
  const picture = useMemo<Picture | null>(() => rows && pictureOf(rows, asked.measure, { none: t('report.no_name'), others: (n) => t('report.others', { n }) }), [rows, asked.measure, lang]);
  const choose = (measure: string) => {
    const counted = reply.columns.some(({ name }) => name === measure);
    changeQuery(counted ? { measure } : { measure, measures: info.measures.map(({ name }) => name).join(','), after: '', at: '' });
  };
  if (rows === null) return <section class="card chart-card no-print"><Waiting /></section>;
  const title = titled(info.title);
  return (
    <section class="card chart-card no-print" aria-label={t('report.chart')}>
      {info.measures.length > 1 && (
        <div class="filters">
          <SelectField bare label={t('report.measure')} value={asked.measure} choices={info.measures.map((column) => [column.name, columnTitle(column)] as const)} onChange={choose} />
        </div>
      )}
      {picture === null ? <p class="nothing quiet">{t('report.no_chart')}</p> : <ReportChart picture={picture} title={title} />}
      {picture !== null && picture.others > 0 && <p class="small quiet">{t('report.not_drawn', { n: picture.others })}</p>}
      {rows.next !== undefined && <p class="small quiet">{t('report.chart_part', { n: rows.rows.length, m: rows.count })}</p>}
    </section>
  );
}

// --- on paper --------------------------------------------------------------------------------------------

interface Printing {
  busy: boolean;
  /** All rows, while they are being printed. */
  reply: ReportReply | null;
  start: () => void;
}

async function allRows(path: string, question: Query): Promise<ReportReply> {
  let whole: ReportReply | null = null;
  for (let after = ''; ;) {
    const part: ReportReply = await get<ReportReply>(path, { ...question, limit: CHART_ROWS, after });
    whole = whole === null ? part : { ...part, rows: [...whole.rows, ...part.rows] };
    if (part.next === undefined || whole.rows.length > PRINT_ROWS) return whole;
    after = part.next;
  }
}

/** Reads what a page does not show, prints, and goes back to the page. What was read for another question than
 *  the page now asks is dropped: it would be printed under the wrong head. */
function usePrinting(path: string, question: Query, data: ReportReply | null): Printing {
  const asked = withQuery(path, question);
  const latest = useRef(asked);
  latest.current = asked;
  const [busy, setBusy] = useState(false);
  const [read, setRead] = useState<{ asked: string; reply: ReportReply } | null>(null);
  const reply = read?.asked === asked ? read.reply : null;
  useEffect(() => setRead(null), [asked]);
  useEffect(() => {
    if (reply === null) return undefined;
    const done = () => setRead(null);
    addEventListener('afterprint', done, { once: true });
    // Drawn first, then printed.
    const timer = setTimeout(() => window.print(), 50);
    return () => {
      clearTimeout(timer);
      removeEventListener('afterprint', done);
    };
  }, [reply]);
  const start = () => {
    if (busy || data === null) return;
    if (data.count > PRINT_ROWS) return toast(t('report.too_long_to_print', { n: PRINT_ROWS }));
    setBusy(true);
    allRows(path, question).then((whole) => latest.current === asked && setRead({ asked, reply: whole }), (error: unknown) => toast(explain(error))).finally(() => setBusy(false));
  };
  return { busy, reply, start };
}

function PrintHead({ reply, info, asked, all }: { reply: ReportReply; info: ReportInfo; asked: Asked; all: boolean }) {
  const filters = filterText(info, asked.filters);
  return (
    <dl class="print-only print-head">
      <div><dt>{t('report.period')}</dt><dd>{reply.from} – {reply.to}</dd></div>
      {filters !== '' && <div><dt>{t('report.filters')}</dt><dd>{filters}</dd></div>}
      <div><dt>{t('report.made_at')}</dt><dd>{cityMoment(reply.time, reply.zone)} ({reply.zone})</dd></div>
      {!all && reply.rows.length < reply.count && <div><dt>{t('report.rows')}</dt><dd>{t('table.range', { from: asked.at + 1, to: asked.at + reply.rows.length, n: reply.count })}</dd></div>}
    </dl>
  );
}
