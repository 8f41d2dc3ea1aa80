// Writes app/generated/initials.ts: for each Chinese character from U+4E00 to U+9FFF the first letter of its
// reading ('-' for none), and the surnames whose first letter is another one than that of the word.

import { mkdirSync, writeFileSync } from 'node:fs';
import { pinyin } from 'pinyin-pro';

const FIRST = 0x4e00;
const LAST = 0x9fff;
const target = new URL('../app/generated/', import.meta.url);

function letter(character, mode) {
  const read = pinyin(character, { pattern: 'first', toneType: 'none', mode, type: 'array' })[0] ?? '';
  return /^[a-z]$/.test(read) ? read : '-';
}

let table = '';
const surnames = {};
for (let code = FIRST; code <= LAST; ++code) {
  const character = String.fromCharCode(code);
  const usual = letter(character, 'normal');
  const asSurname = letter(character, 'surname');
  table += usual;
  if (asSurname !== usual && asSurname !== '-') surnames[character] = asSurname;
}

mkdirSync(target, { recursive: true });
writeFileSync(
  new URL('initials.ts', target),
  `// Made by scripts/initials.mjs. Not to be edited.
export const table = ${JSON.stringify(table)};
export const surnames: Record<string, string> = ${JSON.stringify(surnames)};
`,
);
