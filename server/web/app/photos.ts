// Photos: the record goes first, with the edits; the picture follows, piece by piece, and stays on the phone
// until the server has said, in the record, that it holds it whole.

import { useEffect, useMemo, useReducer } from 'preact/hooks';
import type { Fields } from '../sdk/types';
import { fieldTime } from '../ui/format';
import { act } from './act';
import { device } from './device';
import { text } from './fields';
import { forgetAllFiles, keepFile, listFiles, pictureOf, removeFile, type KeptPhoto } from './files';
import { useRecords, type LiveRecord } from './live';
import { now } from './now';
import { photoOf } from './photo_file';

/** Between two looks for what can be sent, when nothing has changed. */
const LOOK_MS = 30_000;

let kept = new Map<string, KeptPhoto>();
let loaded = false;
let sending: Promise<void> | null = null;
/** How much of each has been taken by the server, 0 to 1; of this session. */
const sent = new Map<string, number>();
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function photoKey(photo: { scope: string; id: string }) {
  return { scope: photo.scope, coll: 'photo', id: photo.id };
}

export function isPresent(fields: Fields): boolean {
  return text(fields, 'present') !== '';
}

/** Keeps what was taken; what of it could not be kept has been said. */
export async function addPhoto(about: { scope: string; coll: string; id: string }, file: Blob): Promise<boolean> {
  const time = now();
  const { blob, hash } = await photoOf(file);
  const photo: KeptPhoto = { id: device().newId(), scope: about.scope, hash, bytes: blob.size, recorded: false };
  await keepFile(photo, blob);
  const set = { blob: hash, bytes: blob.size, media_type: blob.type, about: `${about.coll}/${about.id}`, taken: fieldTime(time) };
  if ((await act(photoKey(photo), { set })) === null) {
    await removeFile(photo);
    return false;
  }
  kept.set(photo.id, { ...photo, recorded: true });
  await keepFile({ ...photo, recorded: true });
  tell();
  void send();
  return true;
}

export async function takePhotoBack(photo: LiveRecord): Promise<void> {
  if ((await act(photoKey(photo), { del: true })) === null) return;
  const mine = kept.get(photo.id);
  if (mine !== undefined) await forget(mine);
}

async function forget(photo: KeptPhoto): Promise<void> {
  await removeFile(photo);
  kept.delete(photo.id);
  sent.delete(photo.id);
  tell();
}

/** A photo may go once its record has arrived: the server then knows whose it is. */
function mayGo(photo: KeptPhoto): boolean {
  const record = device().view(photoKey(photo));
  return record !== undefined && record.waiting === 0 && !isPresent(record.fields);
}

async function sendAll(): Promise<void> {
  const { upload } = await import('./upload');
  for (const photo of [...kept.values()].filter(mayGo)) {
    if (device().status().connection !== 'live') return;
    const blob = await pictureOf(photo.hash);
    if (blob === undefined) continue;
    await upload(photo, blob, (share) => {
      sent.set(photo.id, share);
      tell();
    });
  }
}

function send(): Promise<void> {
  if (sending === null && [...kept.values()].some(mayGo) && device().status().connection === 'live') {
    // What broke off goes on where it stopped, with the next look.
    sending = sendAll().catch(() => undefined).finally(() => (sending = null));
  }
  return sending ?? Promise.resolve();
}

async function settle(): Promise<void> {
  const { standing } = device().status();
  if (standing === 'wiped' || standing === 'new') {
    if (kept.size > 0) await forgetAllFiles();
    kept = new Map();
    return tell();
  }
  for (const photo of [...kept.values()]) {
    const record = device().view(photoKey(photo));
    if (record !== undefined && isPresent(record.fields)) await forget(photo);
  }
  return void send();
}

export function startPhotos(): void {
  void listFiles().then(async (photos) => {
    // One without a record was never shown as kept.
    for (const photo of photos) {
      if (photo.recorded || device().view(photoKey(photo)) !== undefined) kept.set(photo.id, photo);
      else await removeFile(photo);
    }
    loaded = true;
    tell();
    await settle();
  }, () => undefined);
  device().subscribe((change) => {
    if (loaded && (change.status || change.all || change.records.some(({ coll }) => coll === 'photo'))) void settle().catch(() => undefined);
  });
  setInterval(() => void send(), LOOK_MS);
}

function useTold(): void {
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  useEffect(() => {
    const listener = () => redraw();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
}

/** Pictures of this phone that the server does not hold yet. */
export function usePhotosWaiting(): number {
  useTold();
  return kept.size;
}

export function keptHere(id: string): KeptPhoto | undefined {
  return kept.get(id);
}

export function shareSent(id: string): number {
  return sent.get(id) ?? 0;
}

export function usePhotoSums(): { all: number; present: number } {
  const photos = useRecords('photo');
  useTold();
  let present = 0;
  for (const record of photos.records.values()) if (isPresent(record.fields)) ++present;
  return { all: photos.records.size, present };
}

export function usePhotosOf(scope: string, coll: string, id: string): { list: LiveRecord[]; all: number; missing: number } {
  const photos = useRecords('photo', scope);
  useTold();
  const list = useMemo(
    () => [...photos.records.values()].filter((record) => text(record.fields, 'about') === `${coll}/${id}`).sort((a, b) => (a.id < b.id ? 1 : -1)),
    [photos, photos.version, scope, coll, id],
  );
  return { list, all: list.length, missing: list.filter((record) => !isPresent(record.fields)).length };
}
