// What a phone loads before it shows anything, as the server sends it.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../dist/app/', import.meta.url));
const office = fileURLToPath(new URL('../../dist/office/', import.meta.url));
const MOST_BYTES = 150 * 1024;

/** In the form that every browser takes. */
function sent(path: string): number {
  return statSync(existsSync(`${dist}${path}.gz`) ? `${dist}${path}.gz` : `${dist}${path}`).size;
}

test('the first load of the companion is under 150 KiB', () => {
  const page = readFileSync(`${dist}index.html`, 'utf8');
  const files = [...page.matchAll(/(?:src|href)="\/app\/([^"]+)"/g)].map(([, path]) => path!);
  assert.ok(files.some((path) => path.endsWith('.js')) && files.some((path) => path.endsWith('.css')));
  const bytes = [...files, 'index.html', 'icons/mark.svg'].reduce((sum, path) => sum + sent(path), 0);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

for (const [name, folder] of [['companion', dist], ['office', office]] as const) {
  test(`what the page policy forbids is not in the ${name}: no script and no style stands in the page itself`, () => {
    const page = readFileSync(`${folder}index.html`, 'utf8');
    assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)/);
    assert.doesNotMatch(page, /<style|\sstyle=/);
  });
}

test('the office keeps nothing for use without a network, and the companion nothing of the office', () => {
  assert.ok(!existsSync(`${office}sw.js`));
  assert.doesNotMatch(readFileSync(`${dist}sw.js`, 'utf8'), /office/);
});

test('what is loaded later is kept for use without a network from the first visit on', () => {
  const worker = readFileSync(`${dist}sw.js`, 'utf8');
  for (const name of readdirSync(`${dist}assets`)) if (/\.(js|css)$/.test(name)) assert.ok(worker.includes(`/app/assets/${name}`), name);
});
