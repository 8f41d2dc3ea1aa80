// Scanning people's codes at the door, one after the other.

import { useState } from 'preact/hooks';
import { t } from '../../ui/i18n';
import { Banner, type Tone } from '../../ui/words';
import { Button } from '../../ui/button';
import { presenceOf, signIn, signOut, takeBack, useRoster, type EventView } from '../events';
import { QrCamera } from '../parts/qr_camera';
import { Screen } from '../parts/screen';
import { parsePerson } from '../qr_texts';
import { GoneEvent, useEvent } from './event';

interface Result {
  tone: Tone;
  title: string;
  more?: string;
  person?: { id: string; name: string };
  /** What can be done about it now. */
  next?: 'undo_in' | 'undo_out' | 'out';
}

export function ScanPage({ scope, id }: { scope: string; id: string }) {
  const event = useEvent(scope, id);
  if (event === null) return <GoneEvent />;
  return <Scan event={event} />;
}

function Scan({ event }: { event: EventView }) {
  const roster = useRoster(event);
  const [result, setResult] = useState<Result | null>(null);

  async function scanned(text: string): Promise<void> {
    const found = parsePerson(text);
    if (found === null) {
      setResult({ tone: 'bad', title: t('scan.not_person'), more: t('scan.not_person_do') });
      return;
    }
    const known = roster.people.find((person) => person.id === found || (person.number !== '' && person.number === found));
    const person = { id: known?.id ?? found, name: known?.name ?? found };
    const presence = presenceOf(roster.attendance(person.id));
    if (presence === 'in') {
      setResult({ tone: 'wait', title: t('scan.is_in', { name: person.name }), more: t('scan.is_in_do'), person, next: 'out' });
    } else if (presence !== 'none') {
      setResult({ tone: 'wait', title: t('scan.is_out', { name: person.name }), person });
    } else if ((await signIn(event, person.id)) !== null) {
      const more = known?.listed === true ? {} : { more: t('scan.unlisted') };
      setResult({ tone: 'good', title: t('door.signed_in', { name: person.name }), person, next: 'undo_in', ...more });
    }
  }

  async function goOn({ person, next }: Result): Promise<void> {
    if (person === undefined) return;
    if (next === 'out') {
      if ((await signOut(event, person.id)) === null) return;
      setResult({ tone: 'good', title: t('door.signed_out', { name: person.name }), person, next: 'undo_out' });
    } else if (next !== undefined) {
      await takeBack(event, person.id, next === 'undo_in' ? 'signed_in' : 'signed_out');
      setResult({ tone: 'plain', title: t('scan.undone', { name: person.name }) });
    }
  }

  return (
    <Screen title={t('scan.title')} second={event.title} up={{ page: 'event', scope: event.scope, id: event.id }}>
      <QrCamera onText={(text) => void scanned(text)} />
      <div role="status">
        {result === null ? (
          <p class="quiet">{t('scan.lead')}</p>
        ) : (
          <Banner
            tone={result.tone}
            title={result.title}
            actions={
              result.next !== undefined && (
                <Button onClick={() => void goOn(result)}>{t(result.next === 'out' ? 'door.out' : 'do.undo')}</Button>
              )
            }
          >
            {result.more !== undefined && <p>{result.more}</p>}
          </Banner>
        )}
      </div>
      <p class="quiet note num">{t('scan.sum', { n: roster.counts.in + roster.counts.out })}</p>
    </Screen>
  );
}
