// A file of a report whose line breaks: the browser keeps the whole file or none, and says that it failed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { csvRows } from '../clients/csv_file.mjs';
import { createScopes } from '../clients/fixtures.mjs';
import { Relay } from '../clients/relay.mjs';
import { startServer } from '../clients/server.mjs';
import { sheetsOf } from '../clients/sheets.mjs';
import { firstAdministrator, goTo, signedInDesk } from './office_desk.mjs';
import { browserFor } from './phone.mjs';

const ROWS = 800;

let server, relay, browser, page;
before(async () => {
  server = await startServer();
  await firstAdministrator(server);
  const office = await createScopes(server, 'e');
  for (let i = 0; i < ROWS; ++i) {
    const set = { event: 'e1', volunteer: `p${i}`, signed_in: '2025-03-01T08:00:00+08:00', minutes: i, role: Math.random().toString(36).repeat(4).slice(0, 50) };
    office.edit('e', 'attendance', `e1~p${i}`, { set });
  }
  await office.sync();
  relay = await Relay.to(server);
  browser = await browserFor();
  ({ page } = await signedInDesk(browser, relay, 'limei'));
  await goTo(page, '#/reports/attendance?from=2025-01-01&to=2025-12-31');
  await page.locator('.report-page:not([aria-busy]) table.report').waitFor();
});
after(async () => {
  await browser?.close();
  await relay?.close();
  await server?.remove();
});

async function downloaded(kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: kind, exact: true }).click()]);
  return download;
}

async function assertWhole(kind, download) {
  const bytes = await readFile(await download.path());
  if (kind === 'CSV') assert.equal(csvRows(bytes.toString('utf8')).last, `# ${ROWS} rows`);
  else assert.equal(sheetsOf(bytes)['数据'].rows.length, ROWS + 1);
}

for (const kind of ['CSV', 'XLSX']) {
  describe(`${kind} by a line`, () => {
    const mark = `attendance.${kind.toLowerCase()}`;

    it('that holds is a whole file', async () => {
      const download = await downloaded(kind);
      assert.equal(await download.failure(), null);
      await assertWhole(kind, download);
    });

    for (const [how, what] of [['end', 'ends, as when the server is gone'], ['reset', 'breaks']]) {
      it(`that ${what} has failed, and is no file`, async () => {
        const order = relay.cut(mark, 20_000, { how, times: 20 });
        const download = await downloaded(kind);
        assert.notEqual(await download.failure(), null);
        await assert.rejects(download.path());
        assert.ok(order.done > 0);
        order.times = 0;
      });

      it(`that ${what} once has failed, or was asked for anew and is a whole file`, async () => {
        const order = relay.cut(mark, 20_000, { how });
        const download = await downloaded(kind);
        if ((await download.failure()) === null) await assertWhole(kind, download);
        assert.equal(order.done, 1);
      });
    }
  });
}
