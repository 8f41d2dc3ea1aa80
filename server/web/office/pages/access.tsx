// Why a device may, or may not, read and write a record: as the server would judge it now.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { Banner, Tag } from '../../ui/words';
import { explain, get } from '../api';
import { useLoad } from '../load';
import { collections, collTitle, fieldTitle } from '../names';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { Pick } from '../parts/pick';
import { DataTable, Waiting } from '../parts/table';
import { When } from '../parts/time';
import { changeQuery, placeText, type Place } from '../router';
import { reasonPlace, reasonText } from '../rules';
import { searchScopes, useScopeTitle } from '../scopes';
import type { AccessReply, Decision, DevicesReply } from '../types';
import { t, type OfficeKey } from '../words';

export async function searchDevices(q: string, signal: AbortSignal) {
  const { devices } = await get<DevicesReply>('/v1/devices', { q, limit: 20, offset: 0 }, signal);
  return devices.map(({ device, name }) => ({ id: device, title: name || device }));
}

export function AccessPage({ query }: Place) {
  const asked = { device: query.get('device') ?? '', scope: query.get('scope') ?? '', coll: query.get('coll') ?? 'visit', id: query.get('id') ?? '' };
  const [id, setId] = useState(asked.id);
  const scopeTitle = useScopeTitle(asked.scope);
  const whole = asked.device !== '' && asked.scope !== '' && asked.id !== '';
  return (
    <>
      <PageHead title={t('access.title')} about={t('access.about')} />
      <form class="card question" onSubmit={(event) => {
        event.preventDefault();
        changeQuery({ id: id.trim() });
      }}>
        <Pick label={t('access.device')} placeholder={t('devices.search')} search={searchDevices} shown={asked.device} onPick={(choice) => changeQuery({ device: choice.id })} />
        <Pick label={t('access.scope')} placeholder={t('scope.search')} search={searchScopes} shown={scopeTitle} onPick={(choice) => changeQuery({ scope: choice.id })} />
        <SelectField label={t('access.coll')} value={asked.coll} choices={collections.map((coll) => [coll, collTitle(coll)] as const)} onChange={(coll) => changeQuery({ coll })} />
        <TextField label={t('access.id')} value={id} onInput={setId} maxLength={128} />
        <Button type="submit" kind="primary">{t('access.do')}</Button>
      </form>
      {whole ? <Answer {...asked} /> : <p class="quiet">{t('access.fill')}</p>}
      <p class="small"><a href={placeText('policy')}>{t('role_of.to_policy')}</a></p>
    </>
  );
}

function Answer(asked: { device: string; scope: string; coll: string; id: string }) {
  const { data, error, reload } = useLoad(Object.values(asked).join(' '), (signal) => get<AccessReply>('/v1/access', asked, signal), { keep: false });
  if (error !== null) return <Banner tone="bad" title={explain(error)} spoken actions={<Button onClick={reload}>{t('do.retry')}</Button>} />;
  if (data === null) return <Waiting />;
  const decisions: [OfficeKey, Decision][] = [['access.read', data.read], ['access.write', data.write], ['access.delete', data.delete]];
  return (
    <section class="stack" aria-live="polite">
      <p>
        {t('access.is', { name: data.name || data.device, role: t(`role.${data.role}`) })} {t(data.exists ? 'access.exists' : 'access.missing')}
      </p>
      {data.left !== null && <Banner tone="wait" title={t('access.left')}><When ms={data.left} exact /></Banner>}
      {data.earlier.length > 0 && <Banner tone="plain" title={t('access.earlier')}>{data.earlier.map(({ role, until }) => <p key={until}>{t(`role.${role}`)} · {t('access.until')} <When ms={until} exact /></p>)}</Banner>}
      <ul class="verdicts">
        {decisions.map(([title, decision]) => (
          <li key={title} class="card">
            <div class="head-row"><h2>{t(title)}</h2><Allowed decision={decision} /></div>
            <Reason coll={data.coll} decision={decision} />
          </li>
        ))}
      </ul>
      <DataTable
        label={t('access.fields')}
        rows={data.fields}
        keyOf={({ field }) => field}
        columns={[
          { name: 'field', title: t('diff.field'), cell: ({ field }) => <span class="two"><strong>{fieldTitle(data.coll, field)}</strong><span class="small quiet code">{field}</span></span> },
          { name: 'read', title: t('access.read'), cell: ({ read }) => <Allowed decision={read} title={reasonText(data.coll, read)} /> },
          { name: 'write', title: t('access.write'), cell: ({ write }) => <Allowed decision={write} title={reasonText(data.coll, write)} /> },
          { name: 'does', title: t('access.does'), cell: ({ write }) => (write.allowed ? write.does.map((doing) => t(`does.${doing}` as OfficeKey)).join(t('op.and')) : '–') },
          { name: 'why', title: t('access.why'), grows: true, cell: ({ read, write }) => <Reason coll={data.coll} decision={write.allowed ? read : write} /> },
        ]}
        empty={{ icon: 'note', title: t('access.no_fields') }}
      />
    </section>
  );
}

function Reason({ coll, decision }: { coll: string; decision: Decision }) {
  const place = reasonPlace(decision);
  return <span class="two"><span class="small">{reasonText(coll, decision)}</span>{place !== '' && <span class="small quiet code">{place}</span>}</span>;
}

function Allowed({ decision: { allowed }, title }: { decision: Decision; title?: string }) {
  return <span title={title}><Tag tone={allowed ? 'good' : 'bad'} icon={allowed ? 'check' : 'close'}>{t(allowed ? 'access.yes' : 'access.no')}</Tag></span>;
}
