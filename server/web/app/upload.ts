// Sends a picture by the tus protocol: what the server has confirmed is not sent again, however often the
// network breaks off in between. Loaded when there is something to send.

import { Upload } from 'tus-js-client';
import { authorization, keepFile, type KeptPhoto } from './files';

const ENDPOINT = '/v1/blobs';
const RETRY_MS = [0, 1_000, 3_000, 10_000, 30_000];
const CHUNK_BYTES = 256 * 1024;

/** Fulfilled when the server has all bytes; rejects when it could not be reached often enough. */
export async function upload(photo: KeptPhoto, blob: Blob, onShare: (share: number) => void): Promise<void> {
  const token = await authorization();
  if (token === null) return;
  await new Promise<void>((resolve, reject) => {
    const task = new Upload(blob, {
      endpoint: ENDPOINT,
      ...(photo.url === undefined ? {} : { uploadUrl: photo.url }),
      headers: { Authorization: token },
      metadata: { sha256: photo.hash, filetype: blob.type },
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      storeFingerprintForResuming: false,
      removeFingerprintOnSuccess: false,
      onUploadUrlAvailable: () => {
        if (task.url === null || task.url === photo.url) return;
        photo.url = task.url;
        void keepFile(photo).catch(() => undefined);
      },
      onProgress: (bytes, all) => onShare(all === 0 ? 1 : bytes / all),
      onSuccess: () => resolve(),
      onError: reject,
    });
    task.start();
  });
}
