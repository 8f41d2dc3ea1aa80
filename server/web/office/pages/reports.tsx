// Which reports there are, and the ways into each.

import { titled } from '../../ui/i18n';
import { Banner, Empty } from '../../ui/words';
import { Button } from '../../ui/button';
import { explain, get } from '../api';
import { OfficeIcon } from '../icons';
import { useLoad } from '../load';
import { PageHead } from '../parts/header';
import { Waiting } from '../parts/table';
import { dimensionTitle, type ReportInfo } from '../reports';
import { placeText } from '../router';
import { t } from '../words';
import '../reports.css';

export function ReportsPage() {
  const { data, error, reload } = useLoad('reports', (signal) => get<{ reports: ReportInfo[] }>('/v1/reports', {}, signal));
  return (
    <>
      <PageHead title={t('reports.title')} about={t('reports.about')} />
      {error !== null && <Banner tone="bad" title={explain(error)} spoken actions={<Button onClick={reload}>{t('do.retry')}</Button>} />}
      {data === null && error === null && <Waiting />}
      {data?.reports.length === 0 && <Empty icon="chart" title={t('reports.none')} />}
      <ul class="report-cards">{data?.reports.map((info) => <Card key={info.report} info={info} />)}</ul>
    </>
  );
}

function Card({ info }: { info: ReportInfo }) {
  const { report, title, about, dimensions, detail } = info;
  return (
    <li class="card report-card">
      <h2><a href={placeText('reports', [report])}><OfficeIcon name={detail ? 'table' : 'chart'} small />{titled(title)}</a></h2>
      <p class="quiet">{titled(about)}</p>
      {!detail && (
        <ul class="ways" aria-label={t('report.by')}>
          {dimensions.map((dimension) => (
            <li key={dimension.name}><a class="chip" href={placeText('reports', [report], { by: dimension.name })}>{t('reports.by', { title: inSentence(dimensionTitle(dimension)) })}</a></li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** "By kind of visitor". */
function inSentence(title: string): string {
  return title.charAt(0).toLocaleLowerCase() + title.slice(1);
}
