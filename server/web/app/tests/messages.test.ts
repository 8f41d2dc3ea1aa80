// Both catalogues of each application hold the same sentences, with the same things to fill in.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { en } from '../../messages/en';
import { en as officeEn } from '../../messages/office_en';
import { zh as officeZh } from '../../messages/office_zh';
import { zh } from '../../messages/zh';
import { fill } from '../../ui/i18n';

type Catalogue = Record<string, string>;

const web = fileURLToPath(new URL('../../', import.meta.url));
const pairs: { name: string; zh: Catalogue; en: Catalogue; usedIn: string[] }[] = [
  { name: 'shared', zh, en, usedIn: ['app', 'ui'] },
  { name: 'office', zh: officeZh, en: officeEn, usedIn: ['office'] },
];

function sources(folder: string): string[] {
  return readdirSync(`${web}${folder}`, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(`${folder}/${entry.name}`) : /\.tsx?$/.test(entry.name) ? [readFileSync(`${web}${folder}/${entry.name}`, 'utf8')] : []);
}

for (const { name, zh: chinese, en: english, usedIn } of pairs) {
  test(`${name}: the catalogues hold the same keys, and none is empty`, () => {
    assert.deepEqual(Object.keys(english).sort(), Object.keys(chinese).sort());
    for (const catalogue of [chinese, english]) {
      for (const [key, sentence] of Object.entries(catalogue)) assert.notEqual(sentence.trim() === '' && key !== 'op.and', true, key);
    }
  });

  test(`${name}: a sentence fills in the same things in both languages`, () => {
    const names = (sentence: string) => [...new Set([...sentence.matchAll(/\{(\w+)/g)].map(([, said]) => said))].sort();
    for (const key of Object.keys(chinese)) assert.deepEqual(names(english[key]!), names(chinese[key]!), key);
  });

  test(`${name}: no sentence stands unused`, () => {
    const text = usedIn.flatMap(sources).join('\n');
    const made = [...text.matchAll(/`([a-z_]+\.)\$\{/g)].map(([, prefix]) => prefix!);
    const unused = Object.keys(chinese).filter((key) => !text.includes(`'${key}'`) && !made.some((prefix) => key.startsWith(prefix)));
    assert.deepEqual(unused, []);
  });

  test(`${name}: Chinese sentences use the punctuation of Chinese, and no space at their ends`, () => {
    for (const [key, sentence] of Object.entries(chinese)) {
      assert.doesNotMatch(sentence, /[\u4e00-\u9fff][,;!?]|[,;!?][\u4e00-\u9fff]/, key);
      assert.equal(sentence, sentence.trim(), key);
    }
  });
}

test('the office says nothing again that all pages share', () => {
  assert.deepEqual(Object.keys(officeZh).filter((key) => Object.hasOwn(zh, key)), []);
});

test('English goes by number', () => {
  assert.equal(fill('{n} {n|edit waits|edits wait}', { n: 1 }), '1 edit waits');
  assert.equal(fill('{n} {n|edit waits|edits wait}', { n: 3 }), '3 edits wait');
});
