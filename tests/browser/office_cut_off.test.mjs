// A file of a report whose line breaks: the whole file is kept or none, and the page says that it failed.

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

const link = (kind) => page.getByRole('link', { name: kind, exact: true });
/** What the page says of the download, once it has ended. */
const failed = (kind) => page.getByRole('alert').filter({ hasText: `${kind} 没有下载` });

async function downloaded(act) {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  assert.equal(await download.failure(), null);
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
      await assertWhole(kind, await downloaded(() => link(kind).click()));
    });

    for (const [how, what] of [['end', 'ends, as when the server is gone'], ['reset', 'breaks']]) {
      it(`that ${what} is no file, the page says so, and asked for once more it is whole`, async () => {
        const order = relay.cut(mark, 20_000, { how, times: 20 });
        let kept = 0;
        const count = () => { kept += 1; };
        page.on('download', count);
        await link(kind).click();
        await failed(kind).getByText(/下载中断|服务器没有回应/).waitFor();
        page.off('download', count);
        assert.equal(kept, 0);
        assert.ok(order.done > 0);
        order.times = 0;
        await assertWhole(kind, await downloaded(() => failed(kind).getByRole('button', { name: '重试' }).click()));
      });
    }
  });
}
