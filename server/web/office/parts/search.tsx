// A search as somebody types: the server is asked when the typing rests.

import { useEffect, useRef, useState } from 'preact/hooks';
import { SearchField } from '../../ui/fields';

const TYPING_MS = 250;

export function TypedSearch({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const said = useRef(value);
  useEffect(() => {
    // Cleared, or another address.
    if (value !== said.current) setText(value);
    said.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return <SearchField label={label} value={text} onInput={(next) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      said.current = next;
      onInput(next);
    }, TYPING_MS);
  }} />;
}
