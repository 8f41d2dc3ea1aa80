// The browser is killed at random moments, in the middle of edits and of syncing: nothing that was shown as
// kept is missing afterwards, and nothing arrives twice. KILLS says how often (100).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId } from './city.mjs';
import { ARGS, allArrived, enroll, EXECUTABLE } from './phone.mjs';

const ROUNDS = Number(process.env.KILLS ?? 100);
const TAPS_A_ROUND = 3;
const LONGEST_MS = 500;

let server, office, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-kills-'));
  server = await startServer();
  office = await buildCity(server, { people: ROUNDS * TAPS_A_ROUND });
});
after(async () => {
  await server?.remove();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A browser of its own process group, so that it ends all at once. */
async function start() {
  const child = spawn(EXECUTABLE, ['--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}/profile`, ...ARGS, 'about:blank'],
                      { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const url = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the browser did not start')));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
  });
  const browser = await chromium.connectOverCDP(url);
  const page = browser.contexts()[0].pages()[0] ?? await browser.contexts()[0].newPage();
  const kill = async () => {
    const gone = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await gone;
    // One of them may die a moment later, and until then holds the files that the next browser opens.
    for (let tries = 0; isThere(-child.pid) && tries < 400; ++tries) await pause(5);
    await browser.close().catch(() => {});
  };
  return { page, kill };
}

function isThere(processes) {
  try {
    return process.kill(processes, 0);
  } catch {
    return false;
  }
}

const door = `#/event/${encodeURIComponent(EVENT.scope)}/${EVENT.id}`;
async function atDoor(page) {
  await page.goto(`${server.url}/app/${door}`);
  await page.getByRole('searchbox').waitFor().catch(async (error) => {
    throw new Error(`in place of the door: "${await page.locator('body').innerText()}"`, { cause: error });
  });
}

/** Signs people in one after the other, and tells of each as soon as the page shows it as kept. */
async function work(page, people, kept) {
  for (const id of people) {
    await page.getByRole('searchbox').fill(id);
    await page.locator('.person-row', { hasText: id }).getByRole('button', { name: /^签到/ }).click();
    await page.waitForFunction(() => {
      const row = document.querySelector('.person-row');
      return row !== null && row.querySelector('.button.soft') === null && !row.textContent.includes('正在保存');
    });
    kept.add(id);
  }
}

it(`nothing is lost and nothing doubled by ${ROUNDS} kills`, { timeout: 1_200_000 }, async (t) => {
  const kept = new Set();
  let inMidEdit = 0;
  let phone = await start();
  t.after(() => phone.kill().catch(() => {}));
  await phone.page.goto(`${server.url}/app/`);
  await enroll(phone.page, await server.createCode([EVENT.scope], { role: 'volunteer' }));
  for (let round = 0; round < ROUNDS; ++round) {
    const { page } = phone;
    await atDoor(page);
    const people = Array.from({ length: TAPS_A_ROUND }, (_, i) => personId(round * TAPS_A_ROUND + i));
    const before = kept.size;
    const working = work(page, people, kept).catch(() => {});
    // Somewhere between the first tap and the last, however slow the machine is.
    const enough = before + Math.floor(Math.random() * TAPS_A_ROUND);
    while (kept.size < enough) await pause(5);
    await pause(Math.random() * LONGEST_MS);
    await phone.kill();
    await working;
    if (kept.size < before + TAPS_A_ROUND) ++inMidEdit;
    phone = await start();
  }
  await atDoor(phone.page);
  await allArrived(phone.page);
  await office.sync();
  for (let i = 0; i < ROUNDS * TAPS_A_ROUND; ++i) {
    const id = personId(i);
    const signedIn = office.view(EVENT.scope, 'attendance', `${EVENT.id}~${id}`)?.fields.signed_in;
    if (kept.has(id)) assert.ok(signedIn, `${id} was shown as kept`);
    if (signedIn === undefined) continue;
    const history = await server.all(`/v1/history?scope=${EVENT.scope}&coll=attendance&id=${EVENT.id}~${id}`, 'history');
    assert.equal(history.length, 1, `${id} arrived once`);
  }
  assert.ok(kept.size > 0 && inMidEdit > 0, 'the kills came in the middle of the work');
  t.diagnostic(`${kept.size} edits were shown as kept; ${inMidEdit} of ${ROUNDS} kills came in the middle of the work`);
});
