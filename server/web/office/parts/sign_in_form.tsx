// Name and password, and the code where the account asks for one. Used as a page, and over a page whose
// session has ended.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { ApiError, explain } from '../api';
import { signIn } from '../session';
import { t } from '../words';
import { Wrong } from './dialog';
import { PasswordField } from './fields';

export function SignInForm({ name: fixed }: { name?: string }) {
  const [name, setName] = useState(fixed ?? '');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  async function submit(): Promise<void> {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await signIn(name.trim(), password, code.replace(/\s/g, ''));
    } catch (fault) {
      if (fault instanceof ApiError && fault.code === 'auth.second_factor') setAsksCode(true);
      else setError(explain(fault));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {fixed === undefined ? (
        <TextField label={t('sign_in.name')} value={name} onInput={setName} autoComplete="username" required />
      ) : (
        <p><span class="quiet">{t('sign_in.as')}</span> <strong>{fixed}</strong></p>
      )}
      <PasswordField label={t('sign_in.password')} value={password} onInput={setPassword} autoComplete="current-password" />
      {asksCode && (
        <div ref={(box) => box?.querySelector('input')?.focus()}>
          <TextField label={t('sign_in.code')} hint={t('sign_in.code_hint')} value={code} onInput={setCode} autoComplete="one-time-code" />
        </div>
      )}
      <Wrong text={error} />
      <Button type="submit" kind="primary" wide busy={busy}>{t('sign_in.do')}</Button>
    </form>
  );
}
