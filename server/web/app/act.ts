// Doing something: shown at once, kept on the phone, and said plainly when it could not be kept.

import { ApiError } from '../sdk/api';
import type { Edits, Op, RecordKey } from '../sdk/types';
import { hasMessage, t } from '../ui/i18n';
import { toast } from '../ui/toast';
import { device } from './device';
import { showSaving, tellStatus } from './live';

let storageFull = false;

/** Whether the last edit could not be kept for want of room. */
export function isStorageFull(): boolean {
  return storageFull;
}

export function codeOf(error: unknown): string {
  if (error instanceof ApiError) return error.code;
  if (error instanceof DOMException && error.name === 'QuotaExceededError') return 'storage.full';
  return 'internal';
}

/** What an error means and what to do, in a sentence. */
export function explain(code: string): string {
  const key = `why.${code}`;
  return hasMessage(key) ? t(key) : t('why.other', { code });
}

function failed(error: unknown): void {
  const code = codeOf(error);
  storageFull = code === 'storage.full';
  tellStatus();
  toast(t('edit.not_kept', { why: explain(code) }));
}

function kept(): void {
  if (!storageFull) return;
  storageFull = false;
  tellStatus();
}

/** The tap's own task draws what was tapped; what is kept is begun in the next one. */
function drawn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** One edit. Fulfilled with the op once it is durable; null when it could not be kept, which has been said. */
export async function act(key: RecordKey, edits: Edits): Promise<Op | null> {
  const done = showSaving(key, edits);
  try {
    await drawn();
    const op = await device().edit(key, edits);
    kept();
    return op;
  } catch (error) {
    failed(error);
    return null;
  } finally {
    done();
  }
}

/** Several edits, all or none. */
export async function actAll(edits: [RecordKey, Edits][]): Promise<Op[] | null> {
  const done = edits.map(([key, edit]) => showSaving(key, edit));
  try {
    await drawn();
    const ops = await device().editAll(edits);
    kept();
    return ops;
  } catch (error) {
    failed(error);
    return null;
  } finally {
    for (const end of done) end();
  }
}
