// What the server did not take in: kept whole, to be corrected and handed in again, or dismissed.

import { Button } from '../../ui/button';
import { Segments } from '../../ui/fields';
import { Banner, Tag } from '../../ui/words';
import { deviceName, useDeviceNames, type DeviceNames } from '../device_names';
import { text } from '../field_text';
import { PAGE_ROWS, readList } from '../lists';
import { useLoad } from '../load';
import { collTitle } from '../names';
import { refusedText } from '../op_text';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { Pick } from '../parts/pick';
import { ScopeName } from '../parts/scope_fields';
import { TypedSearch } from '../parts/search';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { RecordName } from '../parts/values';
import { changeQuery, placeText, type Place } from '../router';
import type { RecordRow } from '../types';
import { t } from '../words';
import { searchDevices } from './access';

/** Those that people meet; another one can be searched for. */
const CODES = ['scope.forbidden', 'scope.unknown', 'access.denied', 'device.draining', 'field.limit', 'field.type', 'field.kind', 'field.full', 'field.required',
               'facts.immutable', 'record.too_large', 'collection.unknown', 'quota.exhausted', 'quota.exceeded', 'person.erased', 'op.reused', 'op.lost'] as const;

function columns(names: DeviceNames): Column<RecordRow>[] {
  return [
    { name: 'record', title: t('conflict.record'), grows: true, cell: ({ fields }) => <About fields={fields ?? {}} /> },
    { name: 'code', title: t('refused.why'), sorts: true, cell: ({ fields }) => <span class="two"><span title={text(fields, 'code')}>{refusedText(text(fields, 'code'))}</span><span class="small quiet cut">{text(fields, 'detail')}</span></span> },
    { name: 'device', title: t('refused.device'), sorts: true, cell: ({ fields }) => deviceName(names, text(fields, 'device')) },
    { name: 'received_ms', title: t('conflict.received'), sorts: true, cell: ({ fields }) => <When ms={Number(fields?.received_ms ?? 0)} /> },
    { name: 'state', title: t('device.state'), cell: ({ fields }) => <StateTag state={text(fields, 'state')} /> },
  ];
}

function About({ fields }: { fields: Record<string, unknown> }) {
  const [scope, coll, id] = [text(fields, 'scope'), text(fields, 'coll'), text(fields, 'record')];
  if (coll === '') return <span class="quiet">{t('refused.no_record')}</span>;
  return <span class="two"><span>{collTitle(coll)} <RecordName record={{ scope, coll, id }} /></span><span class="small quiet"><ScopeName id={scope} /></span></span>;
}

export function StateTag({ state }: { state: string }) {
  const tone = state === 'open' ? 'wait' : state === 'replayed' ? 'good' : 'plain';
  return <Tag tone={tone}>{t(`refused_state.${state}` as 'refused_state.open')}</Tag>;
}

export function QuarantinePage({ query }: Place) {
  const names = useDeviceNames();
  const state = query.get('state') ?? 'open';
  const sort = query.get('sort') ?? '-received_ms';
  const device = query.get('device') ?? '';
  const asked = new URLSearchParams(query);
  if (state === 'all') asked.delete('state');
  else asked.set('state', state);
  asked.set('sort', sort);
  const { data, error, loading, reload } = useLoad(asked.toString(), (signal) => readList('refused', asked, signal));
  const code = query.get('code') ?? '';
  const codes = [...new Set<string>([...CODES, ...(code === '' ? [] : [code])])];
  const change = (changes: Record<string, string>) => changeQuery({ ...changes, offset: '' });
  const filtered = ['q', 'device', 'code'].some((key) => query.has(key));
  return (
    <>
      <PageHead title={t('quarantine.title')} about={t('quarantine.about')} />
      <div class="filters" role="search">
        <Segments label={t('device.state')} value={state} choices={(['open', 'replayed', 'dismissed', 'all'] as const).map((one) => [one, t(`refused_state.${one}`)] as const)}
                  onChange={(next) => change({ state: next === 'open' ? '' : next })} />
        <TypedSearch label={t('lists.search')} value={query.get('q') ?? ''} onInput={(q) => change({ q })} />
        <SelectField bare label={t('refused.why')} value={code} choices={[['', t('refused.any_code')], ...codes.map((one) => [one, refusedText(one)] as [string, string])]} onChange={(next) => change({ code: next })} />
        <div class="scope-filter"><Pick label={t('refused.device')} placeholder={t('refused.device')} search={searchDevices} shown={device === '' ? '' : deviceName(names, device)} onPick={({ id }) => change({ device: id })} /></div>
        {filtered && <Button kind="bare" onClick={() => change({ q: '', device: '', code: '' })}>{t('do.clear')}</Button>}
      </div>
      {error?.code === 'list.warming' && <Banner tone="plain" icon="clock" title={t('lists.warming')}>{t('lists.warming_more')}</Banner>}
      <DataTable
        label={t('quarantine.title')}
        columns={columns(names)}
        rows={data?.rows ?? null}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => placeText('quarantine', [id])}
        sort={sort}
        onSort={(next) => change({ sort: next })}
        loading={loading}
        error={error?.code === 'list.warming' ? null : error}
        onRetry={reload}
        empty={{ icon: filtered ? 'search' : 'check', title: t(filtered ? 'lists.none_found' : 'quarantine.none'), about: filtered ? t('devices.none_found_more') : t('quarantine.none_more') }}
        paging={{ offset: data?.offset ?? 0, limit: PAGE_ROWS, matching: data?.matching ?? 0, onOffset: (next) => changeQuery({ offset: next === 0 ? '' : next }) }}
      />
    </>
  );
}
