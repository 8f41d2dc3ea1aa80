// A report as people have it before them: the table on the page, and the files that its links lead to.

import assert from 'node:assert/strict';

/** What the table shows, heading by heading. */
export async function tableOf(page) {
  await page.locator('.report-page:not([aria-busy]) table.report').waitFor();
  return page.evaluate(() => {
    const cells = (row) => [...row.children].map((cell) => cell.textContent);
    const table = document.querySelector('table.report');
    return { head: cells(table.tHead.rows[0]), rows: [...table.tBodies[0].rows].map(cells), total: table.tFoot === null ? null : cells(table.tFoot.rows[0]) };
  });
}

/** `name`: CSV or XLSX. */
export async function fileOf(page, server, name) {
  const href = await page.getByRole('link', { name, exact: true }).getAttribute('href');
  const reply = await page.context().request.get(`${server.url}${href}`);
  assert.equal(reply.status(), 200, href);
  return { bytes: await reply.body(), disposition: reply.headers()['content-disposition'] };
}
