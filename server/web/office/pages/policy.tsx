// The policy that the server goes by as a table: what each role reads and writes of each collection.

import { Button } from '../../ui/button';
import { titled } from '../../ui/i18n';
import { Banner, Empty } from '../../ui/words';
import { explain, get, type ApiError } from '../api';
import { useLoad } from '../load';
import { collections, collTitle } from '../names';
import { PageHead } from '../parts/header';
import { Waiting } from '../parts/table';
import { placeText } from '../router';
import { readText, writeText, type Policy, type ReadRule, type WriteRule } from '../rules';
import { t } from '../words';

interface PolicyReply {
  version: string;
  policy: Policy;
}

function level(rule: ReadRule | WriteRule): string {
  return rule === 'all' ? 'all' : rule === 'none' ? 'none' : 'some';
}

export function PolicyPage() {
  const { data, error, reload } = useLoad('policy', (signal) => get<PolicyReply>('/v1/policy', {}, signal));
  return (
    <>
      <PageHead title={t('policy.title')} about={t('policy.about')} />
      {error !== null && <Fault error={error} onRetry={reload} />}
      {error === null && data === null && <Waiting />}
      {data !== null && error === null && (
        <>
          <p class="quiet">{t('policy.in_force')} <span class="code">{data.version}</span>{t('policy.in_force_more')} <a href={placeText('access')}>{t('access.title')}</a></p>
          <Matrix policy={data.policy} />
        </>
      )}
    </>
  );
}

/** A server from before it could be asked has none to show, and this page invents none. */
function Fault({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  if (error.status === 404) return <Empty icon="note" title={t('policy.not_told')}><p>{t('policy.not_told_more')}</p></Empty>;
  return <Banner tone="bad" title={explain(error)} spoken actions={<Button onClick={onRetry}>{t('do.retry')}</Button>} />;
}

function Matrix({ policy }: { policy: Policy }) {
  const roles = Object.entries(policy.roles);
  // A policy may name kinds that these pages do not know.
  const named = [...new Set([...collections, ...roles.flatMap(([, rule]) => Object.keys(rule.collections))])];
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label={t('policy.title')}>
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">{t('policy.coll')}</th>
            {roles.map(([role, { title }]) => <th key={role} scope="col">{titled(title)}</th>)}
          </tr>
        </thead>
        <tbody>
          {named.map((coll) => (
            <tr key={coll}>
              <th scope="row"><span class="two"><span>{collTitle(coll)}</span><span class="small quiet code">{coll}</span></span></th>
              {roles.map(([role, { others, collections: own }]) => {
                const { read, write } = own[coll] ?? others;
                return (
                  <td key={role}>
                    <p class={level(read)}><span>{t('policy.read')}</span> {readText(coll, read)}</p>
                    <p class={level(write)}><span>{t('policy.write')}</span> {writeText(coll, write)}</p>
                  </td>
                );
              })}
            </tr>
          ))}
          <tr>
            <th scope="row">{t('policy.system')}</th>
            {roles.map(([role, { system }]) => <td key={role}><p class={system === true ? 'all' : 'none'}>{t(system === true ? 'op.yes' : 'op.no')}</p></td>)}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
