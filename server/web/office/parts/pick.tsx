// Choosing one of very many by typing: the server searches, the keyboard chooses. After the pattern of a
// combobox with a list (WAI-ARIA APG).

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { explain } from '../api';
import { t } from '../words';

const TYPING_MS = 180;

export interface Choice {
  id: string;
  title: string;
}

interface PickProps {
  label: string;
  hint?: string;
  wrong?: string | null;
  placeholder?: string;
  search: (text: string, signal: AbortSignal) => Promise<Choice[]>;
  onPick: (choice: Choice) => void;
  /** What stands in the field after a choice; empty where several can be chosen. */
  shown?: string;
}

export function Pick({ label, hint, wrong, placeholder, search, onPick, shown = '' }: PickProps) {
  const id = useId();
  const [text, setText] = useState(shown);
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState<Choice[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const latest = useRef(search);
  latest.current = search;
  useEffect(() => setText(shown), [shown]);
  useEffect(() => {
    if (!open) return undefined;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      latest.current(text === shown ? '' : text.trim(), ending.signal).then(
        (choices) => {
          setFound(choices);
          setFault(null);
          setAt(0);
        },
        (error: unknown) => !ending.signal.aborted && setFault(explain(error)),
      );
    }, found === null ? 0 : TYPING_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [text, open]);

  const close = () => {
    setOpen(false);
    setFound(null);
    setText(shown);
  };
  const choose = (choice: Choice | undefined) => {
    if (choice === undefined) return;
    onPick(choice);
    setOpen(false);
    setFound(null);
    setText(shown);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = (found?.length ?? 0) - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) return setOpen(true);
      setAt(event.key === 'ArrowDown' ? Math.min(last, at + 1) : Math.max(0, at - 1));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      choose(found?.[at]);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <div class="field pick-one" onFocusOut={(event) => {
      if (!(event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)) close();
    }}>
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input"
        role="combobox"
        aria-expanded={open}
        aria-controls={`${id}l`}
        aria-autocomplete="list"
        aria-activedescendant={open && found !== null && found.length > 0 ? `${id}o${at}` : undefined}
        aria-describedby={[hint === undefined ? '' : `${id}h`, wrong ? `${id}w` : ''].join(' ').trim() || undefined}
        aria-invalid={wrong ? 'true' : undefined}
        autoComplete="off"
        placeholder={placeholder}
        value={text}
        onFocus={(event) => event.currentTarget.select()}
        onClick={() => setOpen(true)}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}l`} class="choices" role="listbox" aria-label={label} hidden={!open}>
        {found?.map((choice, i) => (
          <li
            key={choice.id}
            id={`${id}o${i}`}
            role="option"
            aria-selected={i === at}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(choice)}
          >
            <span class="ellipsis">{choice.title}</span>
            {choice.title !== choice.id && <span class="small quiet code">{choice.id}</span>}
          </li>
        ))}
      </ul>
      {open && found?.length === 0 && <p class="hint" role="status">{t('pick.none')}</p>}
      {fault !== null && <p class="wrong" role="alert">{fault}</p>}
      {hint !== undefined && <p class="hint" id={`${id}h`}>{hint}</p>}
      {wrong && <p class="wrong" id={`${id}w`} role="alert">{wrong}</p>}
    </div>
  );
}
