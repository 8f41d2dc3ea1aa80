// Reads the cells of an XLSX file's first sheet, and of a CSV file: for tests that hold them against a page.

import { inflateRawSync } from 'node:zlib';

/** The files of a ZIP archive, by name. */
function unzip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('no ZIP archive: its directory is missing');
  const files = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); ++i) {
    const method = bytes.readUInt16LE(at + 10);
    const packed = bytes.readUInt32LE(at + 20);
    const lengths = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + lengths[0]);
    const data = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(data, data + packed);
    files.set(name, method === 0 ? content : inflateRawSync(content));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return files;
}

const plain = (xml) => xml.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&apos;/g, "'").replace(/&amp;/g, '&');
const texts = (xml) => plain([...xml.matchAll(/<t(?:\s[^>]*)?>([^<]*)<\/t>/g)].map(([, text]) => text).join(''));

function columnOf(reference) {
  return [...reference.replace(/\d/g, '')].reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** The rows of the first sheet: strings, numbers, or null. */
export function xlsxRows(bytes) {
  const files = unzip(bytes);
  const shared = [...(files.get('xl/sharedStrings.xml')?.toString('utf8') ?? '').matchAll(/<si>(.*?)<\/si>/gs)].map(([, item]) => texts(item));
  const name = [...files.keys()].filter((file) => /^xl\/worksheets\/[^/]+\.xml$/.test(file)).sort()[0];
  return [...files.get(name).toString('utf8').matchAll(/<row[^>]*>(.*?)<\/row>/gs)].map(([, row]) => {
    const cells = [];
    for (const [, attributes, content = ''] of row.matchAll(/<c\s([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)) {
      const type = /\bt="(\w+)"/.exec(attributes)?.[1];
      const value = /<v>([^<]*)<\/v>/.exec(content)?.[1];
      const cell = type === 's' ? shared[Number(value)] : type === 'inlineStr' ? texts(content) : type === 'str' ? plain(value ?? '') : value === undefined ? null : Number(value);
      cells[columnOf(/\br="([A-Z]+\d+)"/.exec(attributes)[1])] = cell;
    }
    return Array.from(cells, (cell) => cell ?? null);
  });
}

/** The rows of a CSV file (RFC 4180), its last line ("# N rows") apart. */
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
