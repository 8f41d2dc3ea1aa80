// A field of a record in a form, by what its schema says of it.

import { useId, useState } from 'preact/hooks';
import type { FieldInfo } from '../../sdk/schema';
import type { Json } from '../../sdk/types';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import type { Draft } from '../drafts';
import { choicesOf, fieldOf, fieldTitle } from '../names';
import { valueText } from '../op_text';
import { t, type OfficeKey } from '../words';
import { SelectField } from './fields';

const LONG_TEXT = 200;

interface FieldInputProps {
  coll: string;
  field: string;
  value: string | string[];
  onChange: (value: string | string[]) => void;
  wrong?: { key: OfficeKey; n?: number } | undefined;
  /** What stands in it, for what is only added to: logs and counters. */
  now?: Json | undefined;
  label?: string;
}

function wrongText(wrong: FieldInputProps['wrong']): string | null {
  return wrong === undefined ? null : t(wrong.key, wrong.n === undefined ? {} : { n: wrong.n });
}

export function FieldInput(props: FieldInputProps) {
  const info = fieldOf(props.coll, props.field);
  const label = props.label ?? fieldTitle(props.coll, props.field);
  if (info === undefined) return null;
  if (Array.isArray(props.value)) return <SetInput {...props} label={label} info={info} value={props.value} />;
  const shared = { label, wrong: wrongText(props.wrong), onInput: props.onChange as (value: string) => void, value: props.value };
  if (info.merge === 'counter') return <TextField {...shared} label={t('edit.counter', { field: label, n: Number(props.now ?? 0) })} inputMode="text" />;
  if (info.merge === 'log') return <TextField {...shared} label={t('edit.log', { field: label })} lines />;
  return <RegisterInput info={info} coll={props.coll} field={props.field} {...shared} />;
}

interface RegisterInputProps {
  info: FieldInfo;
  coll: string;
  field: string;
  label: string;
  value: string;
  wrong: string | null;
  onInput: (value: string) => void;
}

function RegisterInput({ info, coll, field, label, value, wrong, onInput }: RegisterInputProps) {
  const choices = info.type === 'boolean'
    ? [['true', t('op.yes')], ['false', t('op.no')]] as [string, string][]
    : choicesOf(coll, field);
  if (choices.length > 0) {
    const known = value === '' || choices.some(([choice]) => choice === value) ? choices : [...choices, [value, value] as [string, string]];
    return <SelectField label={label} value={value} wrong={wrong} choices={[['', t('edit.empty')], ...known]} onChange={onInput} />;
  }
  if (info.type === 'time' || info.type === 'date') return <MomentField label={label} type={info.type} value={value} wrong={wrong} onInput={onInput} />;
  const numeric = info.type === 'integer' || info.type === 'number';
  return <TextField label={label} value={value} wrong={wrong} onInput={onInput} lines={(info.max_length ?? 0) > LONG_TEXT} inputMode={numeric ? 'numeric' : 'text'} />;
}

function MomentField({ label, type, value, wrong, onInput }: Omit<RegisterInputProps, 'info' | 'coll' | 'field'> & { type: 'time' | 'date' }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} class="input" type={type === 'time' ? 'datetime-local' : 'date'} value={value} aria-invalid={wrong !== null ? 'true' : undefined}
             onInput={(event) => onInput(event.currentTarget.value)} />
      {wrong !== null && <p class="wrong" role="alert">{wrong}</p>}
    </div>
  );
}

function SetInput({ coll, field, label, info, value, onChange, wrong }: FieldInputProps & { label: string; info: FieldInfo; value: string[] }) {
  const choices = choicesOf(coll, field);
  // What stands in the field counts already, so that nothing moves away from under a click on "save".
  const [text, setText] = useState('');
  const pending = text.trim();
  const kept = pending === '' ? value : value.filter((one, i) => one !== pending || i < value.length - 1);
  const type = (next: string) => {
    setText(next);
    const said = next.trim();
    onChange(said === '' || kept.includes(said) ? kept : [...kept, said]);
  };
  const add = () => setText('');
  if (choices.length > 0) {
    return (
      <fieldset class="plain ticks">
        <legend>{label}</legend>
        {choices.map(([choice, title]) => (
          <label key={choice}>
            <input type="checkbox" checked={value.includes(choice)} onChange={(event) => onChange(event.currentTarget.checked ? [...value, choice] : value.filter((one) => one !== choice))} />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  return (
    <fieldset class="plain stack tight">
      <legend>{label}</legend>
      {kept.length > 0 && (
        <ul class="chips">
          {kept.map((one) => (
            <li key={one}>
              {valueText(coll, field, one)}
              <Button kind="bare" icon="close" label={t('scope.remove', { name: one })} onClick={() => onChange(value.filter((other) => other !== one))} />
            </li>
          ))}
        </ul>
      )}
      <div class="with-button">
        <input class="input" aria-label={t('edit.add_to', { field: label })} placeholder={t('edit.add_to', { field: label })} maxLength={info.max_length} value={text} onInput={(event) => type(event.currentTarget.value)}
               onKeyDown={(event) => {
                 if (event.key !== 'Enter') return;
                 event.preventDefault();
                 add();
               }} />
        <button type="button" class="button bare" onClick={add}>{t('edit.add_do')}</button>
      </div>
      {wrong !== undefined && <p class="wrong" role="alert">{wrongText(wrong)}</p>}
    </fieldset>
  );
}

/** All fields of a form, short ones side by side. */
export function FieldsInput({ coll, draft, wrongs, now, onChange }: { coll: string; draft: Draft; wrongs: Record<string, { key: OfficeKey; n?: number }>; now: Record<string, Json>; onChange: (draft: Draft) => void }) {
  return (
    <div class="form-grid">
      {Object.entries(draft).map(([field, value]) => (
        <div key={field} class={isLong(coll, field) ? 'whole' : undefined}>
          <FieldInput coll={coll} field={field} value={value} wrong={wrongs[field]} now={now[field]} onChange={(next) => onChange({ ...draft, [field]: next })} />
        </div>
      ))}
    </div>
  );
}

function isLong(coll: string, field: string): boolean {
  const info = fieldOf(coll, field);
  return info !== undefined && (info.merge === 'set' || info.merge === 'log' || (info.max_length ?? 0) > LONG_TEXT);
}
