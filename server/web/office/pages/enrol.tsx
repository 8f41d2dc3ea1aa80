// A code for a device: made, shown once with its QR code, scanned from the screen.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Stepper, TextField } from '../../ui/fields';
import { QrPicture } from '../../ui/qr_picture';
import { enrollText, EXPIRIES, makeCode, type Expiry } from '../devices';
import { CopyButton } from '../parts/copy';
import { Dialog, useDoing, Wrong } from '../parts/dialog';
import { SelectField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { ScopesField } from '../parts/scope_fields';
import { When } from '../parts/time';
import { placeText } from '../router';
import type { CodeReply, DeviceRow, Role } from '../types';
import { t } from '../words';
import { RoleField } from './device';

export function ExpiryField({ value, onChange }: { value: Expiry; onChange: (value: Expiry) => void }) {
  const names = Object.keys(EXPIRIES) as Expiry[];
  return <SelectField label={t('code.expires')} value={value} choices={names.map((name) => [name, t(`expiry.${name}`)] as const)} onChange={onChange} />;
}

/** The code as it is typed or scanned. It is shown now and never again. */
export function CodeCard({ reply, name }: { reply: CodeReply; name: string }) {
  return (
    <div class="code-card">
      <QrPicture text={enrollText(reply)} label={t('code.qr', { code: reply.code })} />
      <div class="stack">
        {name !== '' && <strong>{name}</strong>}
        <p class="big-code code" aria-label={t('code.code')}>{reply.code}</p>
        <p class="quiet">{t('code.uses', { n: reply.uses })} · {t('code.until')} <When ms={reply.expires} exact /></p>
        <ol class="steps small">
          <li>{t('code.step_open')} <span class="code">{location.origin}/app/</span></li>
          <li>{t('code.step_scan')}</li>
        </ol>
        <CopyButton text={reply.code} />
      </div>
    </div>
  );
}

export function EnrolPage() {
  const [role, setRole] = useState<Role>('volunteer');
  const [scopes, setScopes] = useState<string[]>([]);
  const [name, setName] = useState('');
  const [uses, setUses] = useState(1);
  const [expiry, setExpiry] = useState<Expiry>('1d');
  const [made, setMade] = useState<CodeReply | null>(null);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useDoing();
  const submit = () => {
    setTried(true);
    if (scopes.length === 0) return;
    run(async () => setMade(await makeCode({ scopes, role, uses, expires_s: EXPIRIES[expiry], ...(name.trim() !== '' && { name: name.trim() }) })));
  };
  return (
    <>
      <PageHead title={t('enrol.title')} within={{ title: t('devices.title'), href: placeText('devices') }} about={t('enrol.about')} />
      {made === null ? (
        <form class="card form" onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}>
          <TextField label={t('enrol.name')} hint={t('enrol.name_hint')} value={name} onInput={setName} maxLength={64} />
          <RoleField value={role} onChange={setRole} />
          <ScopesField value={scopes} onChange={setScopes} wrong={tried && scopes.length === 0 ? t('scope.missing') : null} />
          <div class="pair">
            <ExpiryField value={expiry} onChange={setExpiry} />
            <Stepper label={t('enrol.uses')} min={1} max={1000} value={uses} onChange={setUses} />
          </div>
          <Wrong text={error} />
          <div class="row"><Button type="submit" kind="primary" busy={busy}>{t('enrol.do')}</Button></div>
        </form>
      ) : (
        <section class="card form" aria-live="polite">
          <CodeCard reply={made} name={name.trim()} />
          <p class="quiet">{t('code.once')}</p>
          <div class="row">
            <Button kind="primary" icon="plus" onClick={() => setMade(null)}>{t('enrol.another')}</Button>
            <a class="button" href={placeText('devices')}>{t('enrol.done')}</a>
          </div>
        </section>
      )}
    </>
  );
}

export function ReplaceDialog({ row, onClose }: { row: DeviceRow; onClose: () => void }) {
  const [expiry, setExpiry] = useState<Expiry>('1d');
  const [made, setMade] = useState<CodeReply | null>(null);
  const { busy, error, run } = useDoing();
  return (
    <Dialog title={t('decide_ask.replace', { name: row.name || row.device })} wide={made !== null} held={made !== null} onClose={onClose}>
      {made === null ? (
        <form class="stack" onSubmit={(event) => {
          event.preventDefault();
          run(async () => setMade(await makeCode({ replaces: row.device, expires_s: EXPIRIES[expiry] })));
        }}>
          <p>{t('decide_more.replace')}</p>
          <ExpiryField value={expiry} onChange={setExpiry} />
          <Wrong text={error} />
          <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t('enrol.do')}</Button></div>
        </form>
      ) : (
        <>
          <CodeCard reply={made} name={row.name} />
          <p class="quiet">{t('code.once')}</p>
          <div class="row ends"><Button kind="primary" onClick={onClose}>{t('enrol.done')}</Button></div>
        </>
      )}
    </Dialog>
  );
}
