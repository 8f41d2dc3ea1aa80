// What axe-core finds wrong with a page, as sentences.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The pages have no frames, so there is nothing to gather from any; and as long as a page stays, axe is put into it
 *  once: its own builder does that anew for each run, which takes twice the time. */
export async function findings(page, where) {
  if (await page.evaluate(() => window.axe === undefined)) await page.evaluate(axe);
  // What is still fading in has no contrast yet; a spinner never ends.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity).map(({ finished }) => finished)));
  const violations = await page.evaluate(async (values) => (await window.axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })).violations, TAGS);
  return violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
}
