// Reads an XLSX file as a program would that knows nothing of the one that wrote it: the zip by its
// central directory, the sheets as XML.

import { inflateRawSync } from 'node:zlib';

function entries(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  // The end record, with the comment whose length its last two bytes say.
  if (end < 0 || end + 22 > bytes.length || end + 22 + bytes.readUInt16LE(end + 20) !== bytes.length) throw new Error('the zip has no end');
  const found = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n -= 1) {
    const [size, name, extra, comment] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + size);
    const packed = bytes.readUInt16LE(at + 10) === 8;
    found.set(bytes.toString('utf8', at + 46, at + 46 + name), (packed ? inflateRawSync(data) : data).toString('utf8'));
    at += 46 + name + extra + comment;
  }
  return found;
}

const plain = (xml) => xml.replace(/<[^>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

function rowsOf(xml) {
  return [...xml.matchAll(/<row [^>]*>(.*?)<\/row>/gs)].map(([, row]) =>
    Object.fromEntries([...row.matchAll(/<c r="([A-Z]+)\d+"(?: s="(\d+)")?(?: t="(\w+)")?>(.*?)<\/c>/gs)].map(([, column, style, type, cell]) =>
      [column, { value: type === 'inlineStr' ? plain(cell) : Number(plain(cell)), style: Number(style ?? 0), formula: cell.includes('<f>') }])));
}

/** Sheets by name: their rows, each cell by its column's letters, and the XML. */
export function sheetsOf(bytes) {
  const files = entries(bytes);
  const names = [...files.get('xl/workbook.xml').matchAll(/<sheet name="([^"]*)"/g)].map(([, name]) => name);
  return Object.fromEntries(names.map((name, i) => {
    const xml = files.get(`xl/worksheets/sheet${i + 1}.xml`);
    return [name, { rows: rowsOf(xml), xml }];
  }));
}
