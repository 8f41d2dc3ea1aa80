// Dialogs over a page: a form in the middle, a drawer at the side, a question before something that is hard
// to take back. The browser keeps the focus inside and gives it back.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { Sheet } from '../../ui/sheet';
import { explain } from '../api';
import { t } from '../words';

interface DialogProps {
  title: string;
  /** Absent: it cannot be put away. */
  onClose?: () => void;
  /** Something has been typed, or is shown once: neither a click beside it nor Escape closes it. */
  held?: boolean;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, held = false, wide = false, children }: DialogProps) {
  return <Sheet title={title} {...(onClose !== undefined && { onClose })} held={held} shape={wide ? 'dialog wide' : 'dialog'}>{children}</Sheet>;
}

export function Drawer({ title, onClose, held = false, children }: Omit<DialogProps, 'wide'>) {
  return <Sheet title={title} {...(onClose !== undefined && { onClose })} held={held} shape="drawer">{children}</Sheet>;
}

/** One run of something that may fail: its error stays on show until the next try. */
export function useDoing(): { busy: boolean; error: string | null; run: (doing: () => Promise<void>) => void; setError: (error: string | null) => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = (doing: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    doing()
      .catch((fault: unknown) => setError(explain(fault)))
      .finally(() => setBusy(false));
  };
  return { busy, error, run, setError };
}

/** What went wrong, where it was done; spoken when it appears. */
export function Wrong({ text }: { text: string | null }) {
  return text === null ? null : <p class="form-wrong" role="alert">{text}</p>;
}

interface ConfirmProps {
  title: string;
  /** What will happen, and what will not. */
  children: ComponentChildren;
  /** The words on the button: the act itself, not "OK". */
  act: string;
  danger?: boolean;
  /** Must be typed before the button works: for what cannot be taken back. */
  typed?: string;
  onDo: () => Promise<void>;
  onClose: () => void;
}

export function ConfirmDialog({ title, children, act, danger = false, typed, onDo, onClose }: ConfirmProps) {
  const { busy, error, run } = useDoing();
  const [text, setText] = useState('');
  const off = typed !== undefined && text.trim() !== typed.trim();
  return (
    <Dialog title={title} onClose={onClose} held={text !== ''}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!off) run(async () => {
            await onDo();
            onClose();
          });
        }}
      >
        {children}
        {typed !== undefined && <TextField label={t('confirm.type', { text: typed })} value={text} onInput={setText} />}
        <Wrong text={error} />
        <div class="row ends">
          <Button onClick={onClose}>{t('do.cancel')}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy} off={off}>{act}</Button>
        </div>
      </form>
    </Dialog>
  );
}
