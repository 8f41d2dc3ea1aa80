// Codes that somebody could still enrol with, without their secret.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { toast } from '../../ui/toast';
import { del, get } from '../api';
import { useLoad } from '../load';
import { ConfirmDialog } from '../parts/dialog';
import { PageHead } from '../parts/header';
import { Scopes } from '../parts/scope_fields';
import { DataTable, type Column } from '../parts/table';
import { When } from '../parts/time';
import { placeText } from '../router';
import type { CodeRow } from '../types';
import { t } from '../words';

export function CodesPage() {
  const { data, error, loading, reload } = useLoad('codes', (signal) => get<{ codes: CodeRow[] }>('/v1/codes', {}, signal));
  const [asked, setAsked] = useState<CodeRow | null>(null);
  const columns: Column<CodeRow>[] = [
    { name: 'name', title: t('code.name'), grows: true, cell: ({ name, id }) => <span class="two"><strong>{name || t('code.nameless')}</strong><span class="small quiet code">{id}</span></span> },
    { name: 'role', title: t('device.role'), cell: ({ role }) => (role === null ? <span class="quiet">–</span> : t(`role.${role}`)) },
    { name: 'scopes', title: t('scope.branches'), cell: ({ scopes, replaces }) => (replaces === null ? <Scopes ids={scopes} /> : <>{t('code.replaces')} <a href={placeText('devices', [replaces])}>{replaces}</a></>) },
    { name: 'uses', title: t('enrol.uses'), end: true, cell: ({ uses }) => uses },
    { name: 'created', title: t('code.created'), cell: ({ created }) => (created === null ? <span class="quiet">–</span> : <When ms={created} />) },
    { name: 'expires', title: t('code.good_until'), cell: ({ expires }) => <When ms={expires} /> },
    { name: 'do', title: t('code.do'), end: true, cell: (row) => <Button kind="bare" label={t('code.withdraw_one', { name: row.name || row.id })} onClick={() => setAsked(row)}>{t('code.withdraw')}</Button> },
  ];
  return (
    <>
      <PageHead title={t('codes.title')} within={{ title: t('devices.title'), href: placeText('devices') }} about={t('codes.about')} />
      <DataTable label={t('codes.title')} columns={columns} rows={data?.codes ?? null} keyOf={({ id }) => id} loading={loading} error={error} onRetry={reload}
                 empty={{ icon: 'qr', title: t('codes.none'), about: t('codes.none_more') }} />
      {asked !== null && (
        <ConfirmDialog title={t('code.withdraw_ask', { name: asked.name || asked.id })} act={t('code.withdraw')} danger onClose={() => setAsked(null)} onDo={async () => {
          await del(`/v1/codes/${asked.id}`);
          toast(t('code.withdrawn'));
          reload();
        }}>
          <p>{t('code.withdraw_more')}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
