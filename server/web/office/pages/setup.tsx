// A one-time link: its account gets a password. Whether it makes the first administrator (who chooses a name
// too) is found out by a password that no server takes.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { LanguageSwitch } from '../../ui/language_switch';
import { Banner } from '../../ui/words';
import { ApiError, explain, request } from '../api';
import { isShort } from '../passwords';
import { useDoing, Wrong } from '../parts/dialog';
import { PasswordField } from '../parts/fields';
import { Waiting } from '../parts/table';
import { t } from '../words';

function setUp(body: Record<string, string>): Promise<{ name: string }> {
  return request('POST', '/v1/office/setup', { body, open: true });
}

type Kind = 'first' | 'account';

export function SetupPage({ secret, onDone }: { secret: string; onDone: (name: string | null) => void }) {
  const [kind, setKind] = useState<Kind | null>(null);
  const [unusable, setUnusable] = useState<string | null>(null);
  const tab = t('office.tab', { page: t('setup.title') });
  useEffect(() => {
    document.title = tab;
  }, [tab]);
  useEffect(() => {
    setUp({ secret, password: '-' }).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'message.invalid') setKind('first');
      else if (error instanceof ApiError && error.code === 'password.weak') setKind('account');
      else setUnusable(explain(error));
    });
  }, []);
  return (
    <main class="alone">
      <div class="card">
        <div class="brand"><img src="/office/mark.svg" alt="" /><h1>{t('setup.title')}</h1></div>
        {unusable !== null && (
          <Banner tone="bad" title={unusable} actions={<Button onClick={() => onDone(null)}>{t('setup.to_sign_in')}</Button>}>{t('setup.unusable')}</Banner>
        )}
        {unusable === null && kind === null && <Waiting />}
        {unusable === null && kind !== null && <SetupForm secret={secret} kind={kind} onDone={onDone} />}
      </div>
      <div class="center"><LanguageSwitch /></div>
    </main>
  );
}

function SetupForm({ secret, kind, onDone }: { secret: string; kind: Kind; onDone: (name: string) => void }) {
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useDoing();
  const short = isShort(password);
  const different = again !== password;
  const nameless = kind === 'first' && name.trim() === '';

  function submit(): void {
    setTried(true);
    if (short || different || nameless) return;
    const person: Record<string, string> = kind === 'first' ? { name: name.trim(), display: display.trim() } : {};
    run(async () => onDone((await setUp({ secret, password, ...person })).name));
  }

  return (
    <form class="stack" onSubmit={(event) => {
      event.preventDefault();
      submit();
    }}>
      <p class="quiet">{t(kind === 'first' ? 'setup.first_more' : 'setup.account_more')}</p>
      {kind === 'first' && (
        <>
          <TextField label={t('setup.name')} hint={t('setup.name_hint')} value={name} onInput={setName} autoComplete="username"
                     maxLength={64} wrong={tried && nameless ? t('field.missing') : null} />
          <TextField label={t('setup.display')} hint={t('setup.display_hint')} value={display} onInput={setDisplay} autoComplete="name" maxLength={64} />
        </>
      )}
      <PasswordField label={t('setup.password')} hint={t('setup.password_hint')} value={password} onInput={setPassword} autoComplete="new-password"
                     wrong={tried && short ? t('setup.short') : null} />
      <PasswordField label={t('setup.again')} value={again} onInput={setAgain} autoComplete="new-password" wrong={tried && different ? t('setup.different') : null} />
      <Wrong text={error} />
      <Button type="submit" kind="primary" wide busy={busy}>{t('setup.do')}</Button>
    </form>
  );
}
