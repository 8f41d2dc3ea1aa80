// Fields that the companion has no need of: passwords, choices from a list, ticks.

import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../words';

interface Common {
  label: string;
  hint?: string | undefined;
  wrong?: string | null | undefined;
}

function described(id: string, { hint, wrong }: Common): string | undefined {
  const ids = [hint !== undefined ? `${id}h` : '', wrong ? `${id}w` : ''].join(' ').trim();
  return ids === '' ? undefined : ids;
}

function Under({ id, hint, wrong }: { id: string } & Omit<Common, 'label'>) {
  return (
    <>
      {hint !== undefined && <p class="hint" id={`${id}h`}>{hint}</p>}
      {wrong && <p class="wrong" id={`${id}w`} role="alert">{wrong}</p>}
    </>
  );
}

interface PasswordProps extends Common {
  value: string;
  onInput: (value: string) => void;
  autoComplete: 'current-password' | 'new-password';
}

export function PasswordField(props: PasswordProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <div class="with-button">
        <input
          id={id}
          class="input"
          type={shown ? 'text' : 'password'}
          value={props.value}
          required
          autoComplete={props.autoComplete}
          spellcheck={false}
          autoCapitalize="off"
          aria-invalid={props.wrong ? 'true' : undefined}
          aria-describedby={described(id, props)}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        <button type="button" class="button bare" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {t('field.show_password')}
        </button>
      </div>
      <Under id={id} hint={props.hint} wrong={props.wrong} />
    </div>
  );
}

interface SelectProps<Value extends string> extends Common {
  value: Value;
  choices: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
  /** The label is heard, not seen: in a row of filters. */
  bare?: boolean;
}

export function SelectField<Value extends string>({ label, value, choices, onChange, bare, hint, wrong }: SelectProps<Value>) {
  const id = useId();
  const list = (
    <select
      id={id}
      class="input"
      value={value}
      aria-label={bare === true ? label : undefined}
      aria-describedby={described(id, { label, hint, wrong })}
      onChange={(event) => onChange(event.currentTarget.value as Value)}
    >
      {choices.map(([choice, text]) => <option key={choice} value={choice}>{text}</option>)}
    </select>
  );
  if (bare === true) return list;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {list}
      <Under id={id} hint={hint} wrong={wrong} />
    </div>
  );
}

interface CheckProps {
  label: ComponentChildren;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function CheckField({ label, hint, checked, onChange }: CheckProps) {
  const id = useId();
  return (
    <div class="check">
      <input id={id} type="checkbox" checked={checked} aria-describedby={hint === undefined ? undefined : `${id}h`} onChange={(event) => onChange(event.currentTarget.checked)} />
      <label for={id}>{label}</label>
      {hint !== undefined && <p class="hint" id={`${id}h`}>{hint}</p>}
    </div>
  );
}
