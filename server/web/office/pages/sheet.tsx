// A sheet of codes to be printed and cut: one device a slip. Codes are made one after the other; where that
// breaks off, the sheet says which were made, and goes on with the others.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { QrPicture } from '../../ui/qr_picture';
import { Banner } from '../../ui/words';
import { explain } from '../api';
import { enrollText, EXPIRIES, makeCode, type Expiry } from '../devices';
import { OfficeIcon } from '../icons';
import { PageHead } from '../parts/header';
import { ScopesField } from '../parts/scope_fields';
import { absoluteText } from '../parts/time';
import { placeText } from '../router';
import type { CodeReply, Role } from '../types';
import { t } from '../words';
import { RoleField } from './device';
import { ExpiryField } from './enrol';

const MOST_SLIPS = 200;

interface Slip {
  name: string;
  reply: CodeReply;
}

function namesIn(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
}

export function SheetPage() {
  const [names, setNames] = useState('');
  const [role, setRole] = useState<Role>('volunteer');
  const [scopes, setScopes] = useState<string[]>([]);
  const [expiry, setExpiry] = useState<Expiry>('7d');
  const [slips, setSlips] = useState<Slip[]>([]);
  const [left, setLeft] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [broke, setBroke] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const stop = useRef(false);
  // Nobody would see the codes that come after the page is left.
  useEffect(() => () => {
    stop.current = true;
  }, []);
  const wanted = namesIn(names);
  const tooMany = wanted.length > MOST_SLIPS;

  async function make(todo: string[]): Promise<void> {
    setBusy(true);
    setBroke(null);
    stop.current = false;
    let rest = todo;
    try {
      while (rest[0] !== undefined && !stop.current) {
        const [name] = rest;
        const reply = await makeCode({ scopes, role, name, uses: 1, expires_s: EXPIRIES[expiry] });
        rest = rest.slice(1);
        setSlips((old) => [...old, { name, reply }]);
        setLeft(rest);
      }
      if (rest.length > 0) setBroke(t('sheet.stopped'));
    } catch (error) {
      setBroke(explain(error));
    } finally {
      setLeft(rest);
      setBusy(false);
    }
  }

  const submit = () => {
    setTried(true);
    if (wanted.length === 0 || tooMany || scopes.length === 0) return;
    void make(wanted);
  };
  const begun = slips.length > 0 || left.length > 0;
  return (
    <>
      <div class="no-print stack">
        <PageHead
          title={t('sheet.title')}
          within={{ title: t('devices.title'), href: placeText('devices') }}
          about={t('sheet.about')}
          actions={slips.length > 0 && (
            <button type="button" class="button primary" onClick={() => print()}><OfficeIcon name="print" small /><span>{t('sheet.print', { n: slips.length })}</span></button>
          )}
        />
        {!begun && (
          <form class="card form" onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}>
            <TextField label={t('sheet.names')} hint={t('sheet.names_hint', { n: MOST_SLIPS })} lines value={names} onInput={setNames}
                       wrong={tooMany ? t('sheet.too_many', { n: MOST_SLIPS }) : tried && wanted.length === 0 ? t('field.missing') : null} />
            <RoleField value={role} onChange={setRole} />
            <ScopesField value={scopes} onChange={setScopes} wrong={tried && scopes.length === 0 ? t('scope.missing') : null} />
            <ExpiryField value={expiry} onChange={setExpiry} />
            <Button type="submit" kind="primary" busy={busy}>{wanted.length === 0 ? t('sheet.do_none') : t('sheet.do', { n: wanted.length })}</Button>
            {broke !== null && <Banner tone="bad" title={t('sheet.broke_first')} spoken>{broke}</Banner>}
          </form>
        )}
        {busy && begun && (
          <Banner tone="plain" icon="clock" title={t('sheet.making', { n: slips.length, m: slips.length + left.length })} actions={<Button onClick={() => (stop.current = true)}>{t('sheet.stop')}</Button>} />
        )}
        {!busy && broke !== null && begun && (
          <Banner tone="bad" title={t('sheet.broke', { n: slips.length, m: left.length })} spoken
                  actions={<Button kind="primary" onClick={() => void make(left)}>{t('sheet.go_on', { n: left.length })}</Button>}>
            <p>{broke}</p>
            <p>{t('sheet.broke_made', { names: slips.map(({ name }) => name).join(t('op.and')) })}</p>
            <p>{t('sheet.broke_left', { names: left.join(t('op.and')) })}</p>
            <p>{t('sheet.broke_perhaps', { name: left[0] ?? '' })}</p>
          </Banner>
        )}
        {slips.length > 0 && !busy && <p class="quiet">{t('sheet.once')} <a href={placeText('devices', ['codes'])}>{t('codes.title')}</a></p>}
      </div>
      {slips.length > 0 && (
        <section class="slips" aria-label={t('sheet.slips')}>
          {slips.map(({ name, reply }) => (
            <article class="slip" key={reply.id}>
              <QrPicture text={enrollText(reply)} label={t('code.qr', { code: reply.code })} />
              <div>
                <h2>{name}</h2>
                <p class="slip-code code">{reply.code}</p>
                <p class="small">{t(`role.${role}`)} · {t('code.until')} {absoluteText(reply.expires).slice(0, 16)}</p>
                <ol class="steps small">
                  <li>{t('code.step_open')} <span class="code">{location.origin}/app/</span></li>
                  <li>{t('code.step_scan')}</li>
                </ol>
              </div>
            </article>
          ))}
        </section>
      )}
    </>
  );
}
