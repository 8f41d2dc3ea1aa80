// Draws the app's icons as PNG from their SVG, for phones that take no other. Run after a change of
// server/web/app/public/icons/*.svg: node icons.mjs

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { browserFor } from './phone.mjs';

const icons = fileURLToPath(new URL('../../server/web/app/public/icons/', import.meta.url));
const browser = await browserFor();
for (const [svg, png, px] of [['mark', 'icon-192', 192], ['mark', 'icon-512', 512], ['maskable', 'maskable-512', 512]]) {
  const page = await browser.newPage({ viewport: { width: px, height: px } });
  const source = (await readFile(`${icons}${svg}.svg`, 'utf8')).replace('<svg ', `<svg width="${px}" height="${px}" `);
  await page.setContent(`<body style="margin:0;background:transparent">${source}</body>`);
  await page.screenshot({ path: `${icons}${png}.png`, omitBackground: true });
  await page.close();
}
await browser.close();
