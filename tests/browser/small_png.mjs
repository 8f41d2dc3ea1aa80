// A picture of a page in a palette of at most 256 colours: a third of the size, and the eye sees no difference
// where there are no photos. Of PNG (RFC 2083) it reads what Chromium writes: eight bits, no interlace.

import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 as zlibCrc, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const MOST_COLOURS = 256;

function readChunks(bytes) {
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; ++k) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  if (zlibCrc !== undefined) return zlibCrc(bytes);
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** The pixels as they are, with the filters of PNG taken back. */
function unfiltered(raw, height, stride, step) {
  const out = Buffer.alloc(height * stride);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; ++x) {
      const at = y * stride + x;
      const a = x >= step ? out[at - step] : 0;
      const b = y > 0 ? out[at - stride] : 0;
      const c = x >= step && y > 0 ? out[at - stride - step] : 0;
      const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      out[at] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

/** The colours that are there most often, and for each of the others the nearest of them. */
function paletteOf(pixels, step) {
  const seen = new Map();
  for (let at = 0; at < pixels.length; at += step) {
    const colour = pixels.readUIntBE(at, 3);
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  const colours = [...seen.keys()].sort((a, b) => seen.get(b) - seen.get(a));
  const kept = colours.slice(0, MOST_COLOURS);
  const far = (a, b) => [16, 8, 0].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0);
  const places = new Map(kept.map((colour, i) => [colour, i]));
  for (const colour of colours.slice(MOST_COLOURS)) {
    places.set(colour, kept.reduce((best, other, i) => (far(colour, other) < far(colour, kept[best]) ? i : best), 0));
  }
  return { kept, places };
}

export function shrinkPng(path) {
  const chunks = readChunks(readFileSync(path));
  const head = chunks.find(({ type }) => type === 'IHDR').data;
  const [width, height, colourType] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9]];
  const step = { 2: 3, 6: 4 }[colourType];
  if (head[8] !== 8 || head[12] !== 0 || step === undefined) throw new Error(`${path}: not a picture that Chromium writes`);
  const raw = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const pixels = unfiltered(raw, height, width * step, step);
  const { kept, places } = paletteOf(pixels, step);
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) rows[y * (width + 1) + 1 + x] = places.get(pixels.readUIntBE((y * width + x) * step, 3));
  }
  const newHead = Buffer.from(head);
  newHead[9] = 3;
  const palette = Buffer.from(kept.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  writeFileSync(path, Buffer.concat([SIGNATURE, chunk('IHDR', newHead), chunk('PLTE', palette), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]));
}
