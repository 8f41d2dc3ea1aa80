// The pictures that this phone holds, in the SDK's storage: a small entry for each photo, and the bytes under
// their hash, so that the same picture twice is kept once.

import type { Storage } from '../sdk/types';

export interface KeptPhoto {
  id: string;
  scope: string;
  hash: string;
  bytes: number;
  /** Its record is durable. */
  recorded: boolean;
  /** Where the server takes it, once that has begun. */
  url?: string;
}

let storage: Storage | null = null;

export function useThisStorage(opened: Storage): void {
  storage = opened;
}

function here(): Storage {
  if (storage === null) throw new Error('the storage is not open yet');
  return storage;
}

const entryName = (id: string) => `photo/${id}`;
const bytesName = (hash: string) => `bytes/${hash}`;

export function keepFile(photo: KeptPhoto, blob?: Blob): Promise<void> {
  return here().write(async (tx) => {
    tx.put('files', entryName(photo.id), photo);
    if (blob !== undefined) tx.put('files', bytesName(photo.hash), blob);
  });
}

export function listFiles(): Promise<KeptPhoto[]> {
  return here().read(async (tx) => (await tx.list('files', 'photo/')).map(([, value]) => value as KeptPhoto));
}

export function pictureOf(hash: string): Promise<Blob | undefined> {
  return here().read(async (tx) => (await tx.get('files', bytesName(hash))) as Blob | undefined);
}

/** Forgets a photo, and its bytes where no other photo is made of them. */
export function removeFile(photo: KeptPhoto): Promise<void> {
  return here().write(async (tx) => {
    const others = await tx.list('files', 'photo/');
    tx.remove('files', entryName(photo.id));
    const shared = others.some(([, value]) => (value as KeptPhoto).hash === photo.hash && (value as KeptPhoto).id !== photo.id);
    if (!shared) tx.remove('files', bytesName(photo.hash));
  });
}

export function forgetAllFiles(): Promise<void> {
  return here().write(async (tx) => tx.removeAll('files', ''));
}

/** What a request of this device carries to show who it is; null when it is not enrolled. */
export function authorization(): Promise<string | null> {
  return here().read(async (tx) => {
    const identity = (await tx.get('meta', 'identity')) as { device: string; token: string } | undefined;
    return identity === undefined ? null : `Bearer ${identity.device}.${identity.token}`;
  });
}

/** A photo that the server has, for whoever may read its record. Rejects where it cannot be had now. */
export async function pictureFromServer(scope: string, id: string, hash: string): Promise<Blob> {
  const token = await authorization();
  if (token === null) throw new Error('this device is not enrolled');
  const named = new URLSearchParams({ scope, id }).toString();
  const answer = await fetch(`/v1/blobs/${hash}?${named}`, { headers: { Authorization: token } });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.blob();
}
