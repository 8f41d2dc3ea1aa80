// A fact is never edited: a correction is a new fact that names the old one.

import { useState } from 'preact/hooks';
import { uuid7 } from '../../sdk/ids';
import type { Edits, RecordKey } from '../../sdk/types';
import { Button } from '../../ui/button';
import { draftOf, editsOf, writtenFields, wrongsOf, type Draft } from '../drafts';
import { handIn } from '../edits';
import { infoOf } from '../names';
import { Dialog, useDoing, Wrong } from '../parts/dialog';
import { CheckField } from '../parts/fields';
import { FieldsInput } from '../parts/field_input';
import type { RecordRow } from '../types';
import { t } from '../words';

const LEFT_OUT = ['corrects', 'void'];

export function CorrectDialog({ row, onClose, onDone }: { row: RecordRow; onClose: () => void; onDone: (made: RecordKey) => void }) {
  const { scope, coll } = row;
  const names = writtenFields(coll).filter((name) => !LEFT_OUT.includes(name));
  const [draft, setDraft] = useState<Draft>(() => draftOf(coll, row.fields ?? {}, names));
  const [taken, setTaken] = useState(false);
  // One name for all tries: a second one makes no second fact.
  const [id] = useState(() => uuid7(Date.now(), (count) => crypto.getRandomValues(new Uint8Array(count))));
  const { busy, error, run, setError } = useDoing();
  const wrongs = wrongsOf(coll, draft);
  const save = () => {
    if (Object.keys(wrongs).length > 0) return setError(t('edit.wrong'));
    const edits: Edits = editsOf(coll, {}, draft) ?? {};
    run(async () => {
      await handIn([{ scope, coll, id, if_seq: 0, ...edits, set: { ...edits.set, corrects: row.id, ...(taken && { void: true }) } }]);
      onDone({ scope, coll, id });
    });
  };
  return (
    <Dialog title={t('correct.title')} held wide onClose={onClose}>
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        save();
      }}>
        <p class="quiet">{t('correct.more')}</p>
        {infoOf(coll)?.fields.void !== undefined && <CheckField label={t('correct.void')} hint={t('correct.void_hint')} checked={taken} onChange={setTaken} />}
        {!taken && <FieldsInput coll={coll} draft={draft} wrongs={wrongs} now={{}} onChange={setDraft} />}
        <Wrong text={error} />
        <div class="row ends"><Button onClick={onClose}>{t('do.cancel')}</Button><Button type="submit" kind="primary" busy={busy}>{t('correct.do')}</Button></div>
      </form>
    </Dialog>
  );
}
