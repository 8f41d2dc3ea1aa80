// The policy as a table: what each role reads and writes of each collection.

import { titled } from '../../ui/i18n';
import { Banner } from '../../ui/words';
import { policy } from '../generated/policy';
import { collections, collTitle } from '../names';
import { PageHead } from '../parts/header';
import { placeText } from '../router';
import { readText, writeText, type ReadRule, type WriteRule } from '../rules';
import { t } from '../words';

function level(rule: ReadRule | WriteRule): string {
  return rule === 'all' ? 'all' : rule === 'none' ? 'none' : 'some';
}

export function PolicyPage() {
  const roles = Object.entries(policy);
  return (
    <>
      <PageHead title={t('policy.title')} about={t('policy.about')} />
      <Banner tone="plain" title={t('policy.shipped')}>{t('policy.shipped_more')} <a href={placeText('access')}>{t('access.title')}</a></Banner>
      <div class="scrolls" tabIndex={0} role="region" aria-label={t('policy.title')}>
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">{t('policy.coll')}</th>
              {roles.map(([role, { title }]) => <th key={role} scope="col">{titled(title)}</th>)}
            </tr>
          </thead>
          <tbody>
            {collections.map((coll) => (
              <tr key={coll}>
                <th scope="row"><span class="two"><span>{collTitle(coll)}</span><span class="small quiet code">{coll}</span></span></th>
                {roles.map(([role, { others, collections: named }]) => {
                  const { read, write } = named[coll] ?? others;
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
              {roles.map(([role, { system }]) => <td key={role}><p class={system ? 'all' : 'none'}>{t(system ? 'op.yes' : 'op.no')}</p></td>)}
            </tr>
          </tbody>
        </table>
      </div>
    </>
  );
}
