// Editing a record in its place. What somebody else changes meanwhile is shown beside what is typed, and
// nothing that is typed is lost.

import { useState } from 'preact/hooks';
import type { Fields } from '../../sdk/types';
import { Button } from '../../ui/button';
import { ApiError } from '../api';
import { draftOf, editableFields, editsOf, textToValue, wrongsOf, type Draft } from '../drafts';
import { handIn, isChanged } from '../edits';
import { fieldOf, fieldTitle, infoOf } from '../names';
import { valueText } from '../op_text';
import type { DiffRow } from '../parts/diff';
import { useDoing, Wrong } from '../parts/dialog';
import { FieldsInput } from '../parts/field_input';
import { readRecord } from '../record_names';
import type { RecordRow } from '../types';
import { t } from '../words';
import { Changed } from './device';

interface EditCardProps {
  row: RecordRow;
  onClose: () => void;
  onSaved: () => void;
  onRow: (row: RecordRow) => void;
}

/** What the draft says of a field, as it would be shown. */
function mineText(coll: string, field: string, said: string | string[]): string {
  const info = fieldOf(coll, field);
  if (info === undefined) return '';
  return valueText(coll, field, Array.isArray(said) ? said : textToValue(info, said));
}

/** The draft over what somebody else has written: where nothing was typed theirs stands. */
export function rebased(coll: string, draft: Draft, was: Fields, now: Fields): Draft {
  const before = draftOf(coll, was, Object.keys(draft));
  const after = draftOf(coll, now, Object.keys(draft));
  return Object.fromEntries(Object.entries(draft).map(([name, said]) => {
    const untouched = JSON.stringify(said) === JSON.stringify(before[name]);
    if (untouched) return [name, after[name] ?? said];
    if (!Array.isArray(said)) return [name, said];
    // Of a set both changes stay.
    const gone = (before[name] as string[]).filter((one) => !said.includes(one));
    const added = said.filter((one) => !before[name]?.includes(one));
    return [name, [...new Set([...(after[name] as string[]).filter((one) => !gone.includes(one)), ...added])]];
  }));
}

export function changedRows(coll: string, was: Fields, now: Fields, draft: Draft): DiffRow[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(now)])].filter((name) => fieldOf(coll, name)?.merge !== 'log');
  return names.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(now[name])).map((name) => {
    const said = draft[name];
    const register = fieldOf(coll, name)?.merge !== 'counter';
    return {
      label: fieldTitle(coll, name),
      before: valueText(coll, name, was[name]),
      after: valueText(coll, name, now[name]),
      mine: said === undefined || !register ? '–' : mineText(coll, name, said),
    };
  });
}

export function EditCard({ row, onClose, onSaved, onRow }: EditCardProps) {
  const { coll } = row;
  const [opened, setOpened] = useState(row);
  const [was, setWas] = useState<RecordRow | null>(null);
  const [draft, setDraft] = useState<Draft>(() => draftOf(coll, row.fields ?? {}, editableFields(coll)));
  const [tried, setTried] = useState(false);
  const { busy, error, run, setError } = useDoing();
  const wrongs = wrongsOf(coll, draft);
  const save = () => {
    setTried(true);
    if (Object.keys(wrongs).length > 0) return setError(t('edit.wrong'));
    const edits = editsOf(coll, opened.fields ?? {}, draft);
    if (edits === null) return onClose();
    run(async () => {
      try {
        const { scope, id } = row;
        await handIn([{ scope, coll, id, if_seq: opened.seq, ...edits }]);
        onSaved();
      } catch (fault) {
        if (!isChanged(fault)) throw fault;
        const now = await readRecord(row);
        if (now === null) throw new ApiError('http.not_found', 404, row.id);
        setDraft(rebased(coll, draft, opened.fields ?? {}, now.fields ?? {}));
        setWas(opened);
        setOpened(now);
        onRow(now);
      }
    });
  };
  return (
    <form class="card edit-card" aria-label={t('record.edit')} onSubmit={(event) => {
      event.preventDefault();
      save();
    }}>
      <h2>{t('record.edit')}</h2>
      {was !== null && <Changed rows={changedRows(coll, was.fields ?? {}, opened.fields ?? {}, draft)} />}
      {infoOf(coll)?.facts === true && <p class="quiet">{t('record.annotate_more')}</p>}
      <FieldsInput coll={coll} draft={draft} wrongs={tried ? wrongs : {}} now={opened.fields ?? {}} onChange={setDraft} />
      <Wrong text={error} />
      <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t(was === null ? 'do.save' : 'do.save_mine')}</Button></div>
    </form>
  );
}
