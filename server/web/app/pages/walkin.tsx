// Somebody who is not on the list: a record of the person and their attendance, both or neither.

import { useState } from 'preact/hooks';
import type { Edits, RecordKey } from '../../sdk/types';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { fieldTime } from '../../ui/format';
import { t } from '../../ui/i18n';
import { toast } from '../../ui/toast';
import { Banner, Empty } from '../../ui/words';
import { actAll } from '../act';
import { device } from '../device';
import { attendanceKey, presenceOf, signIn, useRoster, type EventView } from '../events';
import { may } from '../may';
import { now } from '../now';
import { Screen } from '../parts/screen';
import { back } from '../router';
import { useDraft } from '../update';
import { GoneEvent, useEvent } from './event';

/** A uniform number that can be a record's id is one: two phones that enter it make one record. */
function idFor(number: string): string {
  return /^[A-Za-z0-9._:-]{4,63}$/.test(number) ? number : device().newId();
}

export function WalkinPage({ scope, id }: { scope: string; id: string }) {
  const event = useEvent(scope, id);
  if (event === null) return <GoneEvent />;
  return <Walkin event={event} />;
}

function Walkin({ event }: { event: EventView }) {
  const up = { page: 'event', scope: event.scope, id: event.id } as const;
  if (!may('volunteer', 'create')) {
    return (
      <Screen title={t('walkin.title')} second={event.title} up={up}>
        <Empty icon="personAdd" title={t('walkin.not_allowed')}>
          <p class="quiet">{t('walkin.not_allowed_do')}</p>
        </Empty>
      </Screen>
    );
  }
  return (
    <Screen title={t('walkin.title')} second={event.title} up={up}>
      <WalkinForm event={event} />
    </Screen>
  );
}

function WalkinForm({ event }: { event: EventView }) {
  const up = { page: 'event', scope: event.scope, id: event.id } as const;
  const roster = useRoster(event);
  const [name, setName] = useState('');
  const [number, setNumber] = useState('');
  const [tail, setTail] = useState('');
  const [team, setTeam] = useState('');
  const [tried, setTried] = useState(false);
  useDraft(name !== '' || number !== '' || tail !== '' || team !== '');
  const same = name.trim() === '' ? undefined : roster.people.find((person) => person.name === name.trim() || (number !== '' && person.number === number.trim()));
  const wrongTail = tail !== '' && !/^\d{4}$/.test(tail);

  async function keep(): Promise<void> {
    setTried(true);
    if (name.trim() === '' || wrongTail) return;
    const id = idFor(number.trim());
    const person: Record<string, string> = { name: name.trim(), state: 'active' };
    if (number.trim() !== '') person.number = number.trim();
    if (tail !== '') person.phone_tail = tail;
    if (team.trim() !== '') person.team = team.trim();
    const edits: [RecordKey, Edits][] = [
      [{ scope: event.scope, coll: 'volunteer', id }, { set: person }],
      [attendanceKey(event, id), { set: { event: event.id, volunteer: id, signed_in: fieldTime(now()) } }],
    ];
    if ((await actAll(edits)) === null) return;
    back(up);
    toast(t('walkin.done', { name: name.trim() }));
  }

  return (
    <form
      class="stack"
      noValidate
      onSubmit={(submit) => {
        submit.preventDefault();
        void keep();
      }}
    >
      <TextField label={t('walkin.name')} value={name} required maxLength={50} wrong={tried && name.trim() === '' ? t('walkin.name_missing') : null} onInput={setName} />
      {same !== undefined && (
        <Banner
          tone="wait"
          title={t('walkin.same', { name: same.name })}
          actions={
            presenceOf(roster.attendance(same.id)) === 'none' && (
              <Button
                onClick={() => {
                  void signIn(event, same.id);
                  back(up);
                }}
              >
                {t('walkin.sign_same')}
              </Button>
            )
          }
        >
          <p>{same.number || t('person.no_number')}</p>
        </Banner>
      )}
      <TextField label={t('walkin.number')} hint={t('walkin.number_hint')} value={number} maxLength={32} onInput={setNumber} />
      <TextField
        label={t('walkin.tail')}
        hint={t('walkin.tail_hint')}
        value={tail}
        inputMode="numeric"
        maxLength={4}
        wrong={tried && wrongTail ? t('walkin.tail_wrong') : null}
        onInput={setTail}
      />
      <TextField label={t('walkin.team')} value={team} maxLength={64} onInput={setTeam} />
      <Button type="submit" kind="primary" wide>{t('walkin.do')}</Button>
      <p class="quiet small">{t('walkin.privacy')}</p>
    </form>
  );
}
