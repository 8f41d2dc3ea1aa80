// The frame of the office: navigation, what is said to everybody, and the page on show.

import { useEffect, useReducer, useState } from 'preact/hooks';
import { Button } from '../ui/button';
import { onLang } from '../ui/i18n';
import { LanguageSwitch } from '../ui/language_switch';
import { toast, Toasts } from '../ui/toast';
import { Banner, Empty } from '../ui/words';
import { explain, onAway } from './api';
import { OfficeIcon } from './icons';
import { entryAt, GROUPS, pages, type PageEntry } from './pages';
import { SetupPage } from './pages/setup';
import { SignInPage } from './pages/sign_in';
import { Dialog } from './parts/dialog';
import { PageHead } from './parts/header';
import { SignInForm } from './parts/sign_in_form';
import { Waiting } from './parts/table';
import { placeText, usePlace, type Place } from './router';
import { forget, isAdministrator, signOut, useSession, type Session } from './session';
import { t } from './words';

function offered(): PageEntry[] {
  return pages.filter(({ administrator }) => administrator !== true || isAdministrator());
}

export function Office({ link }: { link: string | null }) {
  const { session, ended } = useSession();
  const place = usePlace();
  // Another language is drawn over what stands there: nothing that was typed is lost by it.
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  const [greeting, setGreeting] = useState<string>();
  const [secret, setSecret] = useState(link);
  useEffect(() => onLang(() => redraw()), []);
  if (secret !== null) {
    return <SetupPage secret={secret} onDone={(name) => {
      setGreeting(name === null ? undefined : t('setup.done', { name }));
      setSecret(null);
    }} />;
  }
  if (session === undefined) return <Waiting />;
  if (session === null) return <SignInPage greeting={greeting} />;
  return (
    <>
      <Frame session={session} place={place} />
      {ended && (
        <Dialog title={t('sign_in.again')} held>
          <p>{t('sign_in.again_more')}</p>
          <SignInForm name={session.name} />
          <Button kind="bare" onClick={forget}>{t('sign_in.other')}</Button>
        </Dialog>
      )}
    </>
  );
}

function Frame({ session, place }: { session: Session; place: Place }) {
  const entries = offered();
  const entry = place.page === '' ? entries[0] : entryAt(entries, place);
  const where = `${place.page}/${place.parts.join('/')}`;
  // A new page is a new place: the focus goes to its heading, for those who hear it.
  useEffect(() => {
    if (place.page === '') return;
    document.querySelector('main')?.scrollTo(0, 0);
    document.querySelector<HTMLElement>('.page-head h1')?.focus({ preventScroll: true });
  }, [where]);
  if (entry?.bare === true) {
    return (
      <main id="main" tabIndex={-1} key={where}>
        {entry.show(place)}
        <Toasts />
      </main>
    );
  }
  return (
    <div class="office">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}>{t('office.skip')}</a>
      <Navigation session={session} entries={entries} current={entry} />
      <main id="main" tabIndex={-1}>
        <AwayBanner />
        <div class="office-page" key={where}>
          {entry === undefined
            ? <><PageHead title={t('office.no_page')} /><Empty icon="search" title={t('office.no_page_more')} /></>
            : entry.show(place.page === '' ? { ...place, page: entry.name } : place)}
        </div>
      </main>
      <Toasts />
    </div>
  );
}

function Navigation({ session, entries, current }: { session: Session; entries: PageEntry[]; current: PageEntry | undefined }) {
  const [open, setOpen] = useState(false);
  const shown = entries.filter(({ icon }) => icon !== undefined);
  return (
    <header class={open ? 'side open' : 'side'}>
      <div class="brand">
        <img src="/office/mark.svg" alt="" />
        <span>{t('office.name')}</span>
        <button type="button" class="button bare icon-only menu" aria-expanded={open} aria-controls="navigation" aria-label={t('office.menu')} onClick={() => setOpen(!open)}>
          <OfficeIcon name={open ? 'close' : 'menu'} />
        </button>
      </div>
      <div class="side-body" id="navigation">
        <nav aria-label={t('office.navigation')}>
          {GROUPS.map((group) => shown.filter((entry) => entry.group === group)).map((group) => group[0] !== undefined && (
            <ul key={group[0].group}>
              {group.map((entry) => ({ ...entry, on: entry === current })).map(({ name, part, title, icon, href, on }) => (
                <li key={title}>
                  <a href={href ?? placeText(name, part === undefined ? [] : [part])} aria-current={on ? 'page' : undefined} onClick={() => setOpen(false)}>
                    <OfficeIcon name={icon ?? 'note'} small />
                    <span>{t(title)}</span>
                  </a>
                </li>
              ))}
            </ul>
          ))}
        </nav>
        <div class="who">
          <a href={placeText('me')} onClick={() => setOpen(false)}>
            <strong>{session.display}</strong>
            <span class="small quiet">{t(session.role === 'administrator' ? 'role.administrator' : 'role.office')}</span>
          </a>
          <div class="row">
            <LanguageSwitch />
            <Button kind="bare" onClick={() => void signOut().catch((error: unknown) => toast(t('office.not_out', { why: explain(error) })))}>{t('office.sign_out')}</Button>
          </div>
        </div>
      </div>
    </header>
  );
}

function AwayBanner() {
  const [away, setAway] = useState(false);
  useEffect(() => onAway(setAway), []);
  return (
    <div class="banners" aria-live="polite">
      {away && <Banner tone="wait" icon="offline" title={t('away.title')}>{t('away.more')}</Banner>}
    </div>
  );
}
