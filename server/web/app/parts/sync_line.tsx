// The line that is always there: what has arrived and what has not.

import type { SyncStatus } from '../../sdk/types';
import { momentText } from '../../ui/format';
import { Icon, type IconName } from '../../ui/icon';
import { t } from '../../ui/i18n';
import { isStorageFull } from '../act';
import { useSaving, useStatus } from '../live';
import { useNow } from '../now';
import { usePhotosWaiting } from '../photos';
import { go } from '../router';

export interface SyncWords {
  tone: 'good' | 'wait' | 'bad' | 'plain';
  icon: IconName;
  main: string;
  detail: string;
}

/** Whether all that was written is in a backup; null where the server has none set up. */
function backupWords(status: SyncStatus): string {
  if (status.backedUp === null) return t('sync.no_backup');
  const missing = Math.max(0, status.last - status.backedUp);
  return missing === 0 ? t('sync.backed_up') : t('sync.not_backed_up', { n: missing });
}

function contactWords(status: SyncStatus, time: number): string {
  return status.lastContact === null ? t('sync.never') : t('sync.last_contact', { time: momentText(status.lastContact, time) });
}

function stateWords(status: SyncStatus, time: number, photos: number): SyncWords {
  const offline = status.connection === 'offline' || status.connection === 'connecting';
  if (status.waiting > 0) {
    const main = t(offline ? 'sync.waiting_offline' : 'sync.waiting', { n: status.waiting });
    const since = status.oldest === null ? '' : t('sync.since', { time: momentText(status.oldest, time) });
    return { tone: 'wait', icon: offline ? 'offline' : 'sync', main, detail: since };
  }
  if (status.filling !== null) return { tone: 'plain', icon: 'sync', main: t('sync.filling', { n: status.filling }), detail: t('sync.filling_more') };
  if (photos > 0) return { tone: 'wait', icon: offline ? 'offline' : 'camera', main: t('sync.photos_wait', { n: photos }), detail: t('sync.records_arrived') };
  if (status.lastContact === null) return { tone: 'plain', icon: offline ? 'offline' : 'sync', main: t('sync.not_yet'), detail: t('sync.not_yet_more') };
  const nothing = status.last === 0;
  const main = t(nothing ? (offline ? 'sync.offline_nothing' : 'sync.up_to_date') : 'sync.all_arrived');
  const detail = offline ? t('sync.offline_since', { contact: contactWords(status, time) }) : nothing ? contactWords(status, time) : backupWords(status);
  return { tone: offline ? 'plain' : 'good', icon: offline ? 'offline' : 'arrived', main, detail };
}

function syncWords(status: SyncStatus, time: number, photos: number, storageFull: boolean, saving: boolean): SyncWords {
  if (storageFull) return { tone: 'bad', icon: 'stop', main: t('sync.full'), detail: t('sync.full_more') };
  if (status.stopped !== null) {
    return { tone: 'bad', icon: 'stop', main: t('sync.stopped', { n: status.waiting }), detail: t('sync.tap_why') };
  }
  if (status.refused > 0) {
    const detail = status.waiting > 0 ? t('sync.and_waiting', { n: status.waiting }) : t('sync.tap_why');
    return { tone: 'bad', icon: 'stop', main: t('sync.refused', { n: status.refused }), detail };
  }
  if (saving && status.waiting === 0) return { tone: 'wait', icon: 'clock', main: t('state.saving'), detail: t('sync.saving_more') };
  return stateWords(status, time, photos);
}

export function useSyncWords(): SyncWords {
  return syncWords(useStatus(), useNow(), usePhotosWaiting(), isStorageFull(), useSaving());
}

export function SyncLine() {
  const words = useSyncWords();
  return (
    <button type="button" class={`sync-line ${words.tone}`} onClick={() => go({ page: 'sync' })}>
      <Icon name={words.icon} />
      <span class="sync-words" role="status">
        <span class="sync-main">{words.main}</span>
        <span class="sync-detail">{words.detail}</span>
      </span>
      <Icon name="next" small />
    </button>
  );
}
