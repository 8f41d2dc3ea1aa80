// The first page of the day: the station's counter, or the events; a switch where a device has both.

import { useState } from 'preact/hooks';
import { Button } from '../../ui/button';
import { Segments } from '../../ui/fields';
import { t } from '../../ui/i18n';
import { text } from '../fields';
import { useRecords } from '../live';
import { Screen } from '../parts/screen';
import { go } from '../router';
import { homes } from '../station';
import { EventsHome } from './events';
import { StationHome } from './station';

const STORED = 'waystation.home';

function stored(): string {
  try {
    return localStorage.getItem(STORED) ?? '';
  } catch {
    return '';
  }
}

export function HomePage() {
  const stations = useRecords('station');
  const events = useRecords('event');
  const [chosen, setChosen] = useState(stored);
  const scopes = [...stations.records.values()].map((record) => record.scope).sort();
  const possible = homes(scopes.length, events.records.size);
  // "events", or the scope of the station.
  const choices = possible.flatMap((home) => (home === 'events' ? ['events'] : scopes));
  const current = choices.includes(chosen) ? chosen : (choices[0] ?? 'events');
  const station = [...stations.records.values()].find((record) => record.scope === current);
  const name = (scope: string) => {
    const record = [...stations.records.values()].find((candidate) => candidate.scope === scope);
    return (record && text(record.fields, 'name')) || scope;
  };
  function choose(next: string): void {
    setChosen(next);
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // The other home is one tap away.
    }
  }
  return (
    <Screen
      title={current === 'events' ? t('events.title') : name(current)}
      second={station && text(station.fields, 'address')}
      wide={current !== 'events'}
      actions={<Button kind="bare" icon="more" label={t('home.more')} onClick={() => go({ page: 'about' })} />}
    >
      {choices.length > 1 && choices.length <= 3 && (
        <Segments label={t('home.switch')} value={current} onChange={choose} choices={choices.map((choice) => [choice, choice === 'events' ? t('home.events') : name(choice)] as const)} />
      )}
      {choices.length > 3 && (
        <div class="field">
          <label for="home">{t('home.switch')}</label>
          <select id="home" class="input" value={current} onChange={(event) => choose(event.currentTarget.value)}>
            {choices.map((choice) => <option key={choice} value={choice}>{choice === 'events' ? t('home.events') : name(choice)}</option>)}
          </select>
        </div>
      )}
      {current === 'events' ? <EventsHome /> : <StationHome key={current} scope={current} />}
    </Screen>
  );
}
