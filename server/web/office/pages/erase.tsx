// Erasing what is personal about somebody, for ever, and what it came to.

import { useState } from 'preact/hooks';
import { Banner } from '../../ui/words';
import { post } from '../api';
import { collTitle, fieldTitle } from '../names';
import { ConfirmDialog } from '../parts/dialog';
import { ScopeName } from '../parts/scope_fields';
import { recordHref } from '../parts/values';
import { forgetNames } from '../record_names';
import { placeText } from '../router';
import type { EraseReply } from '../types';
import { hasSentence, t } from '../words';

const PLACES_SHOWN = 20;

interface EraseDialogProps {
  id: string;
  name: string;
  onClose: () => void;
  onDone: (report: EraseReply) => void;
}

export function EraseDialog({ id, name, onClose, onDone }: EraseDialogProps) {
  // What is to be typed stays as it was when the question was asked.
  const [typed] = useState(name);
  return (
    <ConfirmDialog title={t('erase.ask', { name: typed })} act={t('erase.do_now')} danger typed={typed} onClose={onClose} onDo={async () => {
      const report = await post<EraseReply>(`/v1/persons/${encodeURIComponent(id)}/erase`);
      forgetNames();
      onDone(report);
    }}>
      <p>{t('erase.more')}</p>
      <p>{t('erase.keeps')}</p>
      <Banner tone="bad" title={t('erase.final')} />
    </ConfirmDialog>
  );
}

function whatText(what: string): string {
  const key = `remains.${what}`;
  if (hasSentence(key)) return t(key);
  return what.startsWith('record.') ? collTitle(what.slice('record.'.length)) : what;
}

export function EraseReport({ report }: { report: EraseReply }) {
  const { erased, remains } = report;
  return (
    <section class="card erase-report" aria-label={t('erase.report')}>
      <h2>{t(`erase_state.${report.state}`)}</h2>
      <div class="columns even">
        <div class="stack tight">
          <h3>{t('erase.erased')}</h3>
          <ul class="plain-list">
            {erased.records.map(({ scope, coll, id, fields }) => (
              <li key={`${scope} ${coll} ${id}`}>
                <a href={recordHref({ scope, coll, id })}>{collTitle(coll)}</a> <span class="small quiet"><ScopeName id={scope} /> · {fields.map((field) => fieldTitle(coll, field)).join(t('op.and'))}</span>
              </li>
            ))}
            <li>{t('erase.history', { n: erased.history_ops })}</li>
            <li>{t('erase.conflicts', { n: erased.conflicts })}</li>
            <li>{t('erase.refused', { n: erased.refused })}</li>
          </ul>
        </div>
        <div class="stack tight">
          <h3>{t('erase.remains')}</h3>
          {remains.length === 0 && <p class="quiet">{t('erase.nothing')}</p>}
          <ul class="plain-list">
            {remains.map(({ what, count, why, places }) => (
              <li key={what}>
                <span title={why}>{whatText(what)} <span class="num">{count}</span></span>
                {places !== undefined && places.length > 0 && (
                  <span class="small"> {places.slice(0, PLACES_SHOWN).map((place) => <a key={`${place.scope} ${place.id}`} href={recordHref(place)} class="code">{place.id}</a>)}</span>
                )}
              </li>
            ))}
          </ul>
        </div>
      </div>
      <p class="small quiet">{t('erase.mark')} <span class="code">{report.mark}</span> · <a href={placeText('audit', [], { q: 'person.erased' })}>{t('audit.title')}</a></p>
    </section>
  );
}
