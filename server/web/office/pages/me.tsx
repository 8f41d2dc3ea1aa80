// One's own account: password, second factor, recovery codes.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { QrPicture } from '../../ui/qr_picture';
import { toast } from '../../ui/toast';
import { Banner, Tag } from '../../ui/words';
import { post, put } from '../api';
import { CopyButton } from '../parts/copy';
import { useDoing, Wrong } from '../parts/dialog';
import { PasswordField } from '../parts/fields';
import { PageHead } from '../parts/header';
import { When } from '../parts/time';
import { isShort } from '../passwords';
import { readSession, session, signOut } from '../session';
import { t } from '../words';

export function MePage() {
  const { name, display, role, expires, second_factor: second } = session();
  return (
    <>
      <PageHead title={display} about={<><span class="code">{name}</span> · {t(`role.${role}`)}</>} actions={<Button icon="out" onClick={() => void signOut()}>{t('office.sign_out')}</Button>} />
      {role === 'administrator' && !second && <Banner tone="wait" title={t('me.no_second')}>{t('me.no_second_more')}</Banner>}
      <div class="columns even">
        <SecondFactor second={second} />
        <Password />
      </div>
      <p class="small quiet">{t('me.session')} <When ms={expires} exact /></p>
    </>
  );
}

function Password() {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useDoing();
  const short = isShort(next);
  const submit = () => {
    setTried(true);
    if (short || next !== again) return;
    run(async () => {
      await put('/v1/session/password', { password: old, new_password: next });
      setOld('');
      setNext('');
      setAgain('');
      setTried(false);
      toast(t('me.password_done'));
      await readSession();
    });
  };
  return (
    <form class="card" onSubmit={(event) => {
      event.preventDefault();
      submit();
    }}>
      <h2>{t('me.password')}</h2>
      <PasswordField label={t('me.password_old')} value={old} onInput={setOld} autoComplete="current-password" />
      <PasswordField label={t('me.password_new')} hint={t('setup.password_hint')} value={next} onInput={setNext} autoComplete="new-password" wrong={tried && short ? t('setup.short') : null} />
      <PasswordField label={t('setup.again')} value={again} onInput={setAgain} autoComplete="new-password" wrong={tried && next !== again ? t('setup.different') : null} />
      <Wrong text={error} />
      <p class="small quiet">{t('me.password_ends')}</p>
      <div class="row"><Button type="submit" kind="primary" busy={busy}>{t('me.password_do')}</Button></div>
    </form>
  );
}

type Step = { at: 'start' } | { at: 'scan'; secret: string; uri: string } | { at: 'codes'; codes: string[] };

function SecondFactor({ second }: { second: boolean }) {
  const [step, setStep] = useState<Step>({ at: 'start' });
  return (
    <section class="card">
      <div class="head-row">
        <h2>{t('me.second')}</h2>
        <Tag tone={second ? 'good' : 'wait'}>{t(second ? 'me.second_on' : 'me.second_off')}</Tag>
      </div>
      {step.at === 'start' && <Begin second={second} onBegun={(secret, uri) => setStep({ at: 'scan', secret, uri })} />}
      {step.at === 'scan' && <Scan {...step} onDone={(codes) => setStep({ at: 'codes', codes })} onCancel={() => setStep({ at: 'start' })} />}
      {step.at === 'codes' && <RecoveryCodes codes={step.codes} onDone={() => setStep({ at: 'start' })} />}
    </section>
  );
}

function Begin({ second, onBegun }: { second: boolean; onBegun: (secret: string, uri: string) => void }) {
  const [password, setPassword] = useState('');
  const { busy, error, run } = useDoing();
  return (
    <form class="stack" onSubmit={(event) => {
      event.preventDefault();
      run(async () => {
        const { secret, uri } = await post<{ secret: string; uri: string }>('/v1/session/second-factor', { password });
        onBegun(secret, uri);
      });
    }}>
      <p class="quiet">{t(second ? 'me.second_anew' : 'me.second_more')}</p>
      <PasswordField label={t('sign_in.password')} value={password} onInput={setPassword} autoComplete="current-password" />
      <Wrong text={error} />
      <div class="row"><Button type="submit" kind={second ? 'plain' : 'primary'} busy={busy}>{t(second ? 'me.second_again' : 'me.second_do')}</Button></div>
    </form>
  );
}

function Scan({ secret, uri, onDone, onCancel }: { secret: string; uri: string; onDone: (codes: string[]) => void; onCancel: () => void }) {
  const [code, setCode] = useState('');
  const { busy, error, run } = useDoing();
  return (
    <form class="stack" onSubmit={(event) => {
      event.preventDefault();
      run(async () => {
        const { recovery } = await put<{ recovery: string[] }>('/v1/session/second-factor', { code: code.replace(/\s/g, '') });
        await readSession();
        onDone(recovery);
      });
    }}>
      <ol class="steps">
        <li>{t('me.scan')}</li>
        <li>{t('me.scan_code')}</li>
      </ol>
      <QrPicture text={uri} label={t('me.qr')} />
      <p class="small quiet">{t('me.by_hand')} <span class="code secret">{secret.replace(/(.{4})/g, '$1 ').trim()}</span></p>
      <TextField label={t('sign_in.code')} value={code} onInput={setCode} inputMode="numeric" autoComplete="one-time-code" maxLength={8} required />
      <Wrong text={error} />
      <div class="row"><Button type="submit" kind="primary" busy={busy}>{t('me.confirm')}</Button><Button onClick={onCancel}>{t('do.cancel')}</Button></div>
    </form>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <div class="stack" role="status">
      <Banner tone="good" title={t('me.second_done')}>{t('me.recovery_more')}</Banner>
      <ul class="recovery code">{codes.map((code) => <li key={code}>{code}</li>)}</ul>
      <div class="row"><CopyButton text={codes.join('\n')} /><Button onClick={() => print()}>{t('do.print')}</Button><Button kind="primary" onClick={onDone}>{t('me.recovery_kept')}</Button></div>
    </div>
  );
}
