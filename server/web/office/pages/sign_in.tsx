import { useEffect } from 'preact/hooks';
import { LanguageSwitch } from '../../ui/language_switch';
import { SignInForm } from '../parts/sign_in_form';
import { t } from '../words';

export function SignInPage({ greeting }: { greeting?: string | undefined }) {
  const tab = t('office.tab', { page: t('sign_in.title') });
  useEffect(() => {
    document.title = tab;
  }, [tab]);
  return (
    <main class="alone">
      <div class="card">
        <div class="brand"><img src="/office/mark.svg" alt="" /><h1>{t('office.name')}</h1></div>
        {greeting !== undefined && <p role="status">{greeting}</p>}
        <SignInForm />
      </div>
      <p class="small quiet center">{t('sign_in.forgotten')}</p>
      <div class="center"><LanguageSwitch /></div>
    </main>
  );
}
