// The frame of every page: a head, what scrolls, the sync line.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from '../../ui/button';
import { t } from '../../ui/i18n';
import { Toasts } from '../../ui/toast';
import { back, type Route } from '../router';
import { Notices } from './notices';
import { SyncLine } from './sync_line';

interface ScreenProps {
  title: string;
  second?: string;
  /** Where the back button leads when the app was opened on this very page; none on a home. */
  up?: Route;
  actions?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Screen({ title, second, up, actions, wide, children }: ScreenProps) {
  useEffect(() => {
    document.title = t('app.title', { page: title });
  }, [title]);
  return (
    <div class="frame">
      <header class="frame-head">
        {up !== undefined && <Button kind="bare" icon="back" label={t('do.back')} onClick={() => back(up)} />}
        <h1 tabIndex={-1}>
          <span class="title ellipsis">{title}</span>
          {second !== undefined && second !== '' && <span class="second ellipsis">{second}</span>}
        </h1>
        {actions}
      </header>
      <main class="frame-body" tabIndex={0}>
        <div class={wide === true ? 'page wide' : 'page'}>
          <Notices />
          {children}
        </div>
      </main>
      <footer class="frame-foot">
        <Toasts />
        <SyncLine />
      </footer>
    </div>
  );
}
