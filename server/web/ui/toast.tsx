// What was just done, in one sentence, with a way back. What it offers can be done elsewhere too, so
// nothing is lost when it goes.

import { useEffect, useState } from 'preact/hooks';
import { Button } from './button';

const SHOWN_MS = 8_000;

interface Toast {
  text: string;
  action?: { label: string; run: () => void };
}

let show: (toast: Toast) => void = () => undefined;

export function toast(text: string, action?: Toast['action']): void {
  show(action === undefined ? { text } : { text, action });
}

export function Toasts() {
  const [current, setCurrent] = useState<Toast | null>(null);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    show = setCurrent;
    return () => {
      show = () => undefined;
    };
  }, []);
  useEffect(() => {
    if (current === null || held) return undefined;
    const timer = setTimeout(() => setCurrent(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [current, held]);
  const action = current?.action;
  return (
    <div class="toasts" role="status">
      {current !== null && (
        <div
          class="toast"
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocusCapture={() => setHeld(true)}
          onBlurCapture={() => setHeld(false)}
        >
          <p>{current.text}</p>
          {action !== undefined && (
            <Button
              kind="bare"
              onClick={() => {
                setCurrent(null);
                action.run();
              }}
            >
              {action.label}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
