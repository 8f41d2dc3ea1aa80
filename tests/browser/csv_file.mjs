// Reads a CSV file of a report (RFC 4180), for tests that hold it against a page.

/** Its rows, and apart from them the last line ("# N rows"). */
export function csvRows(text) {
  const rows = [[]];
  for (const [, quoted, bare, end] of text.replace(/^\ufeff/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/gs)) {
    rows.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  if (rows.at(-1).join('') === '') rows.pop();
  const last = rows.pop();
  return { rows, last: last.join(',') };
}
