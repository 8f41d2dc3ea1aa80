// Reads a CSV file (RFC 4180), for tests that hold it against a page or against what a spreadsheet made of it.

/** Its rows: each cell's text, and whether it stood in quotes. */
export function csvCells(text) {
  const rows = [[]];
  for (const [, quoted, bare, end] of text.replace(/^\ufeff/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gs)) {
    rows.at(-1).push(quoted === undefined ? { text: bare, quoted: false } : { text: quoted.replaceAll('""', '"'), quoted: true });
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  if (rows.at(-1).every((cell) => cell.text === '')) rows.pop();
  return rows;
}

/** The rows of a report, and apart from them its last line ("# N rows"). */
export function csvRows(text) {
  const rows = csvCells(text).map((row) => row.map((cell) => cell.text));
  const last = rows.pop();
  return { rows, last: last.join(',') };
}
