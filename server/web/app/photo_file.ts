// A photo, made small enough for the way: at most 2560 pixels on its longer side, as JPEG. What the camera
// wrote beside the picture (place, device) is left out by this.

const LONGEST_PX = 2560;
const QUALITY = 0.82;

export interface PhotoFile {
  blob: Blob;
  /** SHA-256 of its bytes, in hex. */
  hash: string;
  width: number;
  height: number;
}

async function decoded(file: Blob): Promise<ImageBitmap> {
  return createImageBitmap(file, { imageOrientation: 'from-image' });
}

async function jpegOf(bitmap: ImageBitmap, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(blob)), 'image/jpeg', QUALITY);
  });
}

export async function hashOf(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Rejects where the file is no picture that this browser can read. */
export async function photoOf(file: Blob): Promise<PhotoFile> {
  const bitmap = await decoded(file);
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const blob = await jpegOf(bitmap, width, height);
  bitmap.close();
  return { blob, hash: await hashOf(blob), width, height };
}
