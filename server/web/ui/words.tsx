// Words that stand by themselves: a banner, an empty place, a label.

import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

export type Tone = 'wait' | 'bad' | 'good' | 'plain';

const toneIcons: Record<Tone, IconName> = { wait: 'warn', bad: 'stop', good: 'check', plain: 'note' };

interface BannerProps {
  tone: Tone;
  title: string;
  icon?: IconName;
  /** Buttons below the words. */
  actions?: ComponentChildren;
  /** Spoken when it appears; for what happens while the user looks elsewhere. */
  spoken?: boolean;
  children?: ComponentChildren;
}

export function Banner({ tone, title, icon, actions, spoken, children }: BannerProps) {
  return (
    <div class={`banner ${tone}`} role={spoken === true ? 'alert' : undefined}>
      <Icon name={icon ?? toneIcons[tone]} />
      <div class="words">
        <strong>{title}</strong>
        {children !== undefined && <div class="note">{children}</div>}
        {actions !== undefined && <div class="row">{actions}</div>}
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Tag({ tone, icon, children }: { tone?: Tone; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class={`tag ${tone ?? ''}`}>
      {icon !== undefined && <Icon name={icon} small />}
      {children}
    </span>
  );
}
