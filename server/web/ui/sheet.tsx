import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button';
import { t } from './i18n';

interface SheetProps {
  title: string;
  /** Absent: it cannot be put away. */
  onClose?: () => void;
  /** A class of the application's own, for another shape. */
  shape?: string;
  /** Neither a tap beside it nor Escape closes it: something has been typed, or is shown once. */
  held?: boolean;
  children: ComponentChildren;
}

/** Those on show, the topmost last. */
const shown: HTMLDialogElement[] = [];

/** Shows it again in its place: what lay above it lies above it still. */
function showAgain(dialog: HTMLDialogElement): void {
  dialog.showModal();
  for (const above of shown.slice(shown.indexOf(dialog) + 1)) {
    if (!above.open) continue;
    above.close();
    above.showModal();
  }
}

/** A dialog that rises from the lower edge; the browser keeps focus inside and gives it back. */
export function Sheet({ title, onClose, shape, held, children }: SheetProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return undefined;
    if (!dialog.open) dialog.showModal();
    shown.push(dialog);
    return () => {
      shown.splice(shown.indexOf(dialog), 1);
      dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={shape === undefined ? 'sheet' : `sheet ${shape}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (held !== true) onClose?.();
      }}
      onClose={() => {
        // Of two presses of Escape browsers let a page prevent one. After its own end it has no element any more.
        const dialog = ref.current;
        if (dialog === null || dialog.open) return;
        if (onClose === undefined || held === true) showAgain(dialog);
        else onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current && held !== true) onClose?.();
      }}
    >
      <div class="inside">
        <div class="sheet-head">
          <h2 id={id}>{title}</h2>
          {onClose !== undefined && <Button kind="bare" icon="close" label={t('do.close')} onClick={onClose} />}
        </div>
        {children}
      </div>
    </dialog>
  );
}
