// Who did what, the newest first.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { SearchField } from '../../ui/fields';
import { auditCsv, matchesAudit, readBack, type AuditPart } from '../audit';
import { keepFile } from '../files';
import { OfficeIcon } from '../icons';
import { useLoad } from '../load';
import { CopyButton } from '../parts/copy';
import { useDoing, Wrong } from '../parts/dialog';
import { PageHead } from '../parts/header';
import { DataTable, type Column } from '../parts/table';
import { absoluteText, When } from '../parts/time';
import { changeQuery, placeText, type Place } from '../router';
import type { AuditEntry } from '../types';
import { hasSentence, t } from '../words';
import { cityDay } from '../zone';

const PART = 200;

function whatText(what: string): string {
  const key = `what.${what}`;
  return hasSentence(key) ? t(key) : what;
}

/** "device ID", "office NAME", "account NAME" in words, and with the way there. */
function Party({ text }: { text: string }) {
  const [kind, ...rest] = text.split(' ');
  const name = rest.join(' ');
  if (kind === 'device' && name !== '') return <a class="code" href={placeText('devices', [name])}>{name}</a>;
  if (kind === 'office') return <>{t('audit.who_office', { name })}</>;
  if (kind === 'account') return <>{t('audit.on_account', { name })}</>;
  if (text === 'administrator\'s token') return <>{t('audit.who_token')}</>;
  return <>{text === 'nobody' ? t('audit.who_nobody') : text}</>;
}

const TIMES = new Set(['expires', 'until', 'ordered']);

function detailText(name: string, value: unknown): string {
  if (TIMES.has(name) && typeof value === 'number') return absoluteText(value);
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Details({ details }: { details: Record<string, unknown> }) {
  if (Object.keys(details).length === 0) return null;
  return <span class="small quiet">{Object.entries(details).map(([name, value]) => `${name}: ${detailText(name, value)}`).join(' · ')}</span>;
}

function columns(): Column<AuditEntry>[] {
  return [
    { name: 'n', title: t('audit.n'), cell: ({ n }) => <span class="num quiet">{n}</span> },
    { name: 'time', title: t('audit.time'), cell: ({ time }) => <When ms={time} exact /> },
    { name: 'who', title: t('audit.who'), cell: ({ who }) => <Party text={who} /> },
    { name: 'what', title: t('audit.what'), cell: ({ what }) => <span title={what}>{whatText(what)}</span> },
    { name: 'on', title: t('audit.on'), cell: ({ on }) => <Party text={on} /> },
    { name: 'details', title: t('audit.details'), grows: true, cell: ({ details }) => <Details details={details} /> },
  ];
}

export function AuditPage({ query }: Place) {
  const q = query.get('q') ?? '';
  const { data, error, loading, reload, setData } = useLoad('audit', (signal) => readBack(null, PART, signal));
  const { busy, error: wrong, run } = useDoing();
  const [progress, setProgress] = useState<string | null>(null);
  const older = (part: AuditPart) => run(async () => {
    const more = await readBack(part.before, PART);
    setData((old) => ({ entries: [...old.entries, ...more.entries], head: old.head, before: more.before }));
  });
  const save = () => run(async () => {
    const blob = await auditCsv((n, m) => setProgress(t('audit.csv_progress', { n, m }))).finally(() => setProgress(null));
    keepFile({ name: `audit-${cityDay(Date.now())}.csv`, blob });
  });
  const shown = data?.entries.filter((entry) => matchesAudit(entry, q)) ?? null;
  // A filter that leaves nothing of what was read looks on by itself, a part at a time, until that fails.
  const hungry = wrong === null && q !== '' && data !== null && data.before > 0 && (shown?.length ?? 0) < 20;
  useEffect(() => {
    if (hungry && data !== null && !busy) older(data);
  }, [hungry, data?.before, busy]);
  return (
    <>
      <PageHead
        title={t('audit.title')}
        about={t('audit.about')}
        actions={<button type="button" class="button" aria-disabled={busy ? 'true' : undefined} onClick={() => !busy && save()}><OfficeIcon name="download" small /><span>{progress ?? `${t('do.download')} CSV`}</span></button>}
      />
      <div class="filters" role="search">
        <SearchField label={t('audit.search')} value={q} onInput={(next) => changeQuery({ q: next })} />
        <Button icon="sync" onClick={reload}>{t('audit.reload')}</Button>
      </div>
      <Wrong text={wrong} />
      <DataTable label={t('audit.title')} columns={columns()} rows={shown} keyOf={({ n }) => String(n)} loading={loading || busy} error={error} onRetry={reload}
                 empty={{ icon: 'search', title: t(hungry ? 'table.loading' : 'audit.none') }} />
      {data !== null && data.before > 0 && !hungry && <div class="center"><Button busy={busy} onClick={() => older(data)}>{t('audit.older')}</Button></div>}
      {data !== null && data.head.n > 0 && (
        <section class="card head-card">
          <h2>{t('audit.head')}</h2>
          <p class="small quiet">{t('audit.head_more')}</p>
          <div class="row"><span class="code small wrap">{data.head.n}:{data.head.hash}</span><CopyButton text={`${data.head.n}:${data.head.hash}`} /></div>
        </section>
      )}
    </>
  );
}
