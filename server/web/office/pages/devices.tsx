// All devices: who was seen when, what each still holds, and the ways to a new one.

import { Button } from '../../ui/button';
import { SearchField } from '../../ui/fields';
import { spanText } from '../../ui/format';
import { Tag } from '../../ui/words';
import { get } from '../api';
import { stateText } from '../devices';
import { OfficeIcon } from '../icons';
import { useLoad } from '../load';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { Scopes } from '../parts/scope_fields';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { changeQuery, placeText, type Place } from '../router';
import { isAdministrator } from '../session';
import type { DeviceRow, DevicesReply } from '../types';
import { t } from '../words';

const PAGE_ROWS = 50;
const AGAIN_MS = 15_000;

/** A clock that is off by less than the server lets pass is right. */
export function ClockText({ row }: { row: DeviceRow }) {
  if (row.last_seen === null || row.last_seen === 0) return <span class="quiet">–</span>;
  if (!row.clock_wrong) return <span class="quiet">{t('device.clock_right')}</span>;
  return <Tag tone="wait">{t(row.skew_ms < 0 ? 'device.slow' : 'device.fast', { span: spanText(row.skew_ms) })}</Tag>;
}

export function SeenText({ row }: { row: DeviceRow }) {
  if (row.online === true) return <span class="online"><i />{t('device.online')}</span>;
  return <When ms={row.last_seen} />;
}

function columns(): Column<DeviceRow>[] {
  return [
    { name: 'name', title: t('devices.name_and_app'), sorts: true, grows: true, cell: (row) => <span class="two"><span class="ellipsis">{row.name || row.device}</span><span class="small quiet"><span class="code">{row.device}</span>{row.app !== '' && ` · ${row.app}`}</span></span> },
    { name: 'role', title: t('devices.role_and_scopes'), cell: (row) => <span class="two"><span>{t(`role.${row.role}`)}</span><span class="small quiet"><Scopes ids={row.branches} /></span></span> },
    { name: 'state', title: t('device.state'), cell: (row) => {
      const { text, tone } = stateText(row);
      return <Tag tone={tone}>{text}</Tag>;
    } },
    { name: 'last_seen', title: t('device.last_seen'), sorts: true, cell: (row) => <SeenText row={row} /> },
    { name: 'queued', title: t('device.queued'), sorts: true, end: true, cell: (row) => (row.queued === 0 ? <span class="quiet">0</span> : <strong>{row.queued}</strong>) },
    { name: 'oldest', minor: true, title: t('device.oldest'), sorts: true, cell: (row) => (row.queued === 0 ? <span class="quiet">–</span> : <When ms={row.oldest} />) },
    { name: 'skew_ms', minor: true, title: t('device.clock'), sorts: true, cell: (row) => <ClockText row={row} /> },
  ];
}

export function DevicesPage({ query }: Place) {
  const q = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  const sort = query.get('sort') ?? '-last_seen';
  const offset = Number(query.get('offset') ?? 0);
  const { data, error, loading, reload } = useLoad(`${q} ${state} ${sort} ${offset}`, (signal) =>
    get<DevicesReply>('/v1/devices', { q, state, sort, offset, limit: PAGE_ROWS }, signal), { everyMs: AGAIN_MS });
  const total = data === null ? null : data.total ?? data.devices.length;
  const matching = data?.matching ?? data?.devices.length ?? 0;
  return (
    <>
      <PageHead
        title={t('devices.title')}
        about={total === null ? undefined : t('devices.about', { n: total })}
        actions={isAdministrator() && (
          <>
            <a class="button" href={placeText('devices', ['codes'])}><OfficeIcon name="key" small /><span>{t('codes.title')}</span></a>
            <a class="button" href={placeText('devices', ['sheet'])}><OfficeIcon name="print" small /><span>{t('sheet.title')}</span></a>
            <a class="button primary" href={placeText('devices', ['new'])}><OfficeIcon name="plus" small /><span>{t('enrol.title')}</span></a>
          </>
        )}
      />
      <div class="filters" role="search">
        <SearchField label={t('devices.search')} value={q} onInput={(next) => changeQuery({ q: next, offset: '' })} />
        <SelectField
          bare
          label={t('device.state')}
          value={state}
          choices={[['', t('devices.any_state')], ['active', t('device.active')], ['draining', t('device.draining')], ['closed', t('device.closed')]]}
          onChange={(next) => changeQuery({ state: next, offset: '' })}
        />
        {(q !== '' || state !== '') && <Button kind="bare" onClick={() => changeQuery({ q: '', state: '', offset: '' })}>{t('do.clear')}</Button>}
      </div>
      <DataTable
        label={t('devices.title')}
        columns={columns()}
        rows={data?.devices ?? null}
        keyOf={({ device }) => device}
        hrefOf={({ device }) => placeText('devices', [device])}
        sort={sort}
        onSort={(next) => changeQuery({ sort: next, offset: '' })}
        loading={loading}
        error={error}
        onRetry={reload}
        empty={{ icon: 'phone', title: t(q === '' && state === '' ? 'devices.none' : 'devices.none_found'), about: t(q === '' && state === '' ? 'devices.none_more' : 'devices.none_found_more') }}
        paging={{ offset, limit: PAGE_ROWS, matching, onOffset: (next) => changeQuery({ offset: next === 0 ? '' : next }) }}
      />
    </>
  );
}
