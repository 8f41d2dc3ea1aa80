import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icon';

interface ButtonProps {
  kind?: 'plain' | 'primary' | 'soft' | 'bare' | 'danger';
  icon?: IconName;
  wide?: boolean;
  type?: 'button' | 'submit';
  /** Said instead of done: the button stays reachable, and its reason is shown by whoever gives it. */
  off?: boolean;
  busy?: boolean;
  label?: string;
  describedBy?: string;
  onClick?: () => void;
  children?: ComponentChildren;
}

export function Button({ kind = 'plain', icon, wide, type = 'button', off, busy, label, describedBy, onClick, children }: ButtonProps) {
  const iconOnly = children === undefined;
  const idle = off !== true && busy !== true;
  return (
    <button
      type={type}
      class={`button ${kind}${wide === true ? ' wide' : ''}${iconOnly ? ' icon-only' : ''}`}
      aria-label={label}
      title={iconOnly ? label : undefined}
      aria-disabled={idle ? undefined : 'true'}
      aria-busy={busy === true ? 'true' : undefined}
      aria-describedby={describedBy}
      onClick={(event: JSX.TargetedMouseEvent<HTMLButtonElement>) => {
        if (idle) onClick?.();
        else event.preventDefault();
      }}
    >
      {busy === true ? <span class="spinner" /> : icon !== undefined && <Icon name={icon} />}
      {!iconOnly && <span>{children}</span>}
    </button>
  );
}
