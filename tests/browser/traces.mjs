// Where a text could have stayed: in files, on a phone, in what the server says, on the office's pages.

import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The secrets that stand in `text`, also where JSON has them escaped. */
export function secretsIn(text, secrets) {
  return secrets.filter((secret) => text.includes(secret) || text.includes(escaped(secret)));
}

function escaped(text) {
  return [...text].map((letter) => (letter < '\x80' ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('');
}

/** Files below a folder, byte by byte, that hold one of them: "file: secret". */
export async function filesWith(folder, secrets) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const text = (await readFile(path)).toString('utf8');
    found.push(...secretsIn(text, secrets).map((secret) => `${path}: ${secret}`));
  }
  return found;
}

/** All that a page's origin keeps in the browser, as one text. */
export function keptBy(page) {
  return page.evaluate(async () => {
    const asked = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const kept = [{ ...localStorage }, { ...sessionStorage }];
    for (const { name } of await indexedDB.databases()) {
      const db = await asked(indexedDB.open(name));
      for (const table of db.objectStoreNames) {
        const store = db.transaction(table).objectStore(table);
        kept.push([table, await asked(store.getAllKeys()), await asked(store.getAll())]);
      }
      db.close();
    }
    return JSON.stringify(kept);
  });
}

/** What a command of the program prints, on both its ways; its exit code is not looked at. */
export function printed(...args) {
  const running = spawn(process.env.WAYSTATION, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [running.stdout, running.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part));
  return new Promise((resolve, reject) => running.once('error', reject).once('close', (code) => resolve({ text, code })));
}

/** Gives a wait for the end of all that a page asks for; what is only answered when something is new does not count,
 *  nor what says nothing for a second: of an answer that was dropped half read the browser tells no end. */
export function quietOf(page, { everMs = 60, silentMs = 1000, notCounting = /\/v1\/today/ } = {}) {
  const open = new Set();
  let since = Date.now();
  const note = (change) => (request) => {
    if (notCounting.test(request.url())) return;
    change(request);
    since = Date.now();
  };
  page.on('request', note((request) => open.add(request)));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, note((request) => open.delete(request)));
  return async () => {
    since = Date.now();
    for (let quiet = 0; quiet < (open.size > 0 ? silentMs : everMs); quiet = Date.now() - since) await page.waitForTimeout(20);
    open.clear();
  };
}
