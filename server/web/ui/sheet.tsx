import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button';
import { t } from './i18n';

/** A dialog that rises from the lower edge; the browser keeps focus inside and gives it back. */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="sheet"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="inside">
        <div class="sheet-head">
          <h2 id={id}>{title}</h2>
          <Button kind="bare" icon="close" label={t('do.close')} onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}
