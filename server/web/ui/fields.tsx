import { useId } from 'preact/hooks';
import { Button } from './button';
import { Icon } from './icon';
import { t } from './i18n';

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  wrong?: string | null;
  required?: boolean;
  maxLength?: number;
  inputMode?: 'text' | 'numeric' | 'tel';
  autoComplete?: string;
  className?: string;
  lines?: boolean;
}

export function TextField(props: FieldProps) {
  const id = useId();
  const described = [props.hint !== undefined ? `${id}h` : '', props.wrong ? `${id}w` : ''].join(' ').trim();
  const shared = {
    id,
    class: `input ${props.className ?? ''}`,
    value: props.value,
    required: props.required,
    maxLength: props.maxLength,
    autoComplete: props.autoComplete ?? 'off',
    'aria-invalid': props.wrong ? ('true' as const) : undefined,
    'aria-describedby': described === '' ? undefined : described,
    onInput: (event: Event) => props.onInput((event.target as HTMLInputElement).value),
  };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.lines === true ? <textarea {...shared} rows={4} /> : <input type="text" inputMode={props.inputMode} {...shared} />}
      {props.hint !== undefined && <p class="hint" id={`${id}h`}>{props.hint}</p>}
      {props.wrong && <p class="wrong" id={`${id}w`} role="alert">{props.wrong}</p>}
    </div>
  );
}

export function SearchField({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }) {
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        class="input"
        enterKeyHint="search"
        autoComplete="off"
        aria-label={label}
        placeholder={label}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

interface StepperProps {
  label: string;
  value: number;
  min?: number;
  max?: number;
  onChange: (value: number) => void;
}

export function Stepper({ label, value, min = 0, max = 100_000, onChange }: StepperProps) {
  const id = useId();
  const to = (next: number) => {
    if (Number.isInteger(next)) onChange(Math.min(max, Math.max(min, next)));
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="stepper">
        <Button icon="minus" label={t('step.less', { label })} off={value <= min} onClick={() => to(value - 1)} />
        <input
          id={id}
          class="input"
          type="text"
          inputMode="numeric"
          value={String(value)}
          onInput={(event) => to(Number(event.currentTarget.value.replace(/\D/g, '') || '0'))}
        />
        <Button icon="plus" label={t('step.more', { label })} off={value >= max} onClick={() => to(value + 1)} />
      </div>
    </div>
  );
}

interface SegmentsProps<Value extends string> {
  label: string;
  value: Value;
  choices: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}

export function Segments<Value extends string>({ label, value, choices, onChange }: SegmentsProps<Value>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map(([choice, text]) => (
        <button type="button" key={choice} aria-pressed={choice === value} onClick={() => onChange(choice)}>
          {text}
        </button>
      ))}
    </div>
  );
}
