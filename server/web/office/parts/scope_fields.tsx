// Scopes on show, and the field in which a device's branches are chosen.

import { Button } from '../../ui/button';
import { EVERYWHERE, searchScopes, useScopeTitle } from '../scopes';
import { t } from '../words';
import { CheckField } from './fields';
import { Pick } from './pick';

export function ScopeName({ id }: { id: string }) {
  const title = useScopeTitle(id);
  return <span title={id}>{title}</span>;
}

/** The first by name, the others by number: for a cell. */
export function Scopes({ ids }: { ids: readonly string[] }) {
  const [first] = ids;
  if (first === undefined) return <span class="quiet">{t('scope.none')}</span>;
  return <span class="scopes"><span class="ellipsis"><ScopeName id={first} /></span>{ids.length > 1 && <span class="quiet"> +{ids.length - 1}</span>}</span>;
}

export function ScopeList({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <span class="quiet">{t('scope.none')}</span>;
  return <ul class="chips">{ids.map((id) => <li key={id}><ScopeName id={id} /></li>)}</ul>;
}

interface ScopesFieldProps {
  value: readonly string[];
  onChange: (value: string[]) => void;
  wrong?: string | null;
}

export function ScopesField({ value, onChange, wrong }: ScopesFieldProps) {
  const all = value.includes(EVERYWHERE);
  return (
    <fieldset class="plain stack">
      <legend>{t('scope.branches')}</legend>
      <CheckField label={t('scope.all')} hint={t('scope.all_hint')} checked={all} onChange={(on) => onChange(on ? [EVERYWHERE] : [])} />
      {!all && (
        <>
          <Pick
            label={t('scope.add')}
            hint={t('scope.below')}
            wrong={wrong ?? null}
            placeholder={t('scope.search')}
            search={searchScopes}
            onPick={({ id }) => !value.includes(id) && onChange([...value, id])}
          />
          {value.length > 0 && (
            <ul class="chips">
              {value.map((id) => (
                <li key={id}>
                  <ScopeName id={id} />
                  <Button kind="bare" icon="close" label={t('scope.remove', { name: id })} onClick={() => onChange(value.filter((other) => other !== id))} />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </fieldset>
  );
}
