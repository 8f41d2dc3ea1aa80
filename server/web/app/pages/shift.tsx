// What one shift tells the next.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { momentText } from '../../ui/format';
import { t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Empty, Tag } from '../../ui/words';
import { act } from '../act';
import { device } from '../device';
import { items, text } from '../fields';
import { useRecords, type LiveRecord, type LiveSet } from '../live';
import { useNow } from '../now';
import { Screen } from '../parts/screen';
import { useDraft } from '../update';

const TAG = 'handover';
const SHOWN = 20;

/** When a note was made: its id says so. */
function madeAt(record: LiveRecord): number | null {
  const hex = record.id.replaceAll('-', '');
  return /^[0-9a-f]{12}7/.test(hex) ? Number.parseInt(hex.slice(0, 12), 16) : null;
}

function handovers(notes: LiveSet): LiveRecord[] {
  return [...notes.records.values()]
    .filter((record) => items(record.fields, 'tags').includes(TAG))
    .sort((a, b) => (madeAt(b) ?? 0) - (madeAt(a) ?? 0));
}

export function latestHandover(notes: LiveSet): LiveRecord | null {
  return handovers(notes).find((record) => record.fields.done !== true) ?? null;
}

export function ShiftPage({ scope }: { scope: string }) {
  const notes = useRecords('note', scope);
  const station = [...useRecords('station').records.values()].find((record) => record.scope === scope);
  const time = useNow();
  const [words, setWords] = useState('');
  const [author, setAuthor] = useState('');
  useDraft(words !== '');
  const list = handovers(notes).slice(0, SHOWN);
  const quotas = useRecords('quota', scope);
  const held = [...quotas.records.values()].reduce((sum, record) => sum + device().leaseLeft(record, 'places').left, 0);

  async function keep(): Promise<void> {
    const set: Record<string, string> = { text: words.trim() };
    if (author.trim() !== '') set.author = author.trim();
    if (station !== undefined) set.about = `station/${station.id}`;
    if ((await act({ scope, coll: 'note', id: device().newId() }, { set, add: { tags: [TAG] } })) === null) return;
    setWords('');
    toast(t('shift.kept'));
  }

  return (
    <Screen title={t('station.shift')} second={station && text(station.fields, 'name')} up={{ page: 'home' }}>
      <section class="card">
        <TextField label={t('shift.words')} hint={t('shift.hint')} value={words} lines maxLength={4000} onInput={setWords} />
        <TextField label={t('shift.author')} value={author} maxLength={50} onInput={setAuthor} />
        {held > 0 && <p class="note quiet">{t('shift.held', { n: held })}</p>}
        <Button kind="primary" off={words.trim() === ''} onClick={() => void keep()}>{t('shift.keep')}</Button>
      </section>
      {list.length === 0 ? (
        <Empty icon="note" title={t('shift.empty')}>
          <p class="quiet">{t('shift.empty_do')}</p>
        </Empty>
      ) : (
        <section class="card">
          <h2>{t('shift.earlier')}</h2>
          <ul class="rows">
            {list.map((record) => <Handover key={record.id} record={record} time={time} />)}
          </ul>
        </section>
      )}
    </Screen>
  );
}

function Handover({ record, time }: { record: LiveRecord; time: number }) {
  const at = madeAt(record);
  const done = record.fields.done === true;
  const who = [text(record.fields, 'author'), at === null ? '' : momentText(at, time)].filter((part) => part !== '').join(' · ');
  const set = (value: boolean) => void act({ scope: record.scope, coll: 'note', id: record.id }, { set: { done: value } });
  return (
    <li class="entry">
      <span class="pre">{text(record.fields, 'text')}</span>
      <span class="row">
        <span class="when num">{who}</span>
        {done && <Tag tone="good" icon="check">{t('shift.done')}</Tag>}
        {record.waiting > 0 && <Tag tone="wait" icon="clock">{t('state.waiting')}</Tag>}
      </span>
      <span class="row">
        <Button kind="bare" icon={done ? 'undo' : 'check'} onClick={() => set(!done)}>{t(done ? 'shift.reopen' : 'shift.do')}</Button>
      </span>
    </li>
  );
}
