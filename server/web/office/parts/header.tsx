import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../words';

interface PageHeadProps {
  title: string;
  /** One sentence, or figures, below the title. */
  about?: ComponentChildren;
  /** Where this page belongs, for pages of one thing. */
  within?: { title: string; href: string };
  actions?: ComponentChildren;
}

/** The head of every page; names the browser's tab too. */
export function PageHead({ title, about, within, actions }: PageHeadProps) {
  const tab = t('office.tab', { page: title });
  useEffect(() => {
    document.title = tab;
  }, [tab]);
  return (
    <header class="page-head">
      <div class="words">
        {within !== undefined && <a class="within" href={within.href}>{within.title}</a>}
        <h1 tabIndex={-1}>{title}</h1>
        {about !== undefined && <p class="quiet">{about}</p>}
      </div>
      {actions !== undefined && <div class="row actions">{actions}</div>}
    </header>
  );
}
