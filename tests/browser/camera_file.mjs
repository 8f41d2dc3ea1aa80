// A film of a QR code, as a camera would see it held up: a Y4M file that Chromium shows in place of one.

import { writeFile } from 'node:fs/promises';
import qrcode from 'qrcode-generator';

const WIDTH = 480;
const HEIGHT = 480;
const FRAMES = 10;
const PAPER = 225;
const INK = 25;

export async function filmOf(text, path) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const scale = Math.floor((WIDTH * 0.7) / size);
  const edge = Math.floor((WIDTH - scale * size) / 2);
  const luma = Buffer.alloc(WIDTH * HEIGHT, PAPER);
  for (let y = 0; y < size * scale; ++y) {
    for (let x = 0; x < size * scale; ++x) {
      if (code.isDark(Math.floor(y / scale), Math.floor(x / scale))) luma[(y + edge) * WIDTH + x + edge] = INK;
    }
  }
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma]);
  await writeFile(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), ...Array(FRAMES).fill(frame)]));
}
