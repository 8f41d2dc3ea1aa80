// Both catalogues hold the same sentences, with the same things to fill in.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { en } from '../../messages/en';
import { zh } from '../../messages/zh';
import { fill } from '../../ui/i18n';

const web = fileURLToPath(new URL('../../', import.meta.url));
const catalogues: Record<string, Record<string, string>> = { zh, en };

function sources(folder: string): string[] {
  return readdirSync(`${web}${folder}`, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(`${folder}/${entry.name}`) : /\.tsx?$/.test(entry.name) ? [readFileSync(`${web}${folder}/${entry.name}`, 'utf8')] : []);
}

test('the catalogues hold the same keys, and none is empty', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
  for (const catalogue of Object.values(catalogues)) {
    for (const [key, sentence] of Object.entries(catalogue)) assert.notEqual(sentence.trim() === '' && key !== 'op.and', true, key);
  }
});

test('a sentence fills in the same things in both languages', () => {
  const names = (sentence: string) => [...new Set([...sentence.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();
  for (const key of Object.keys(zh)) assert.deepEqual(names(catalogues.en![key]!), names(catalogues.zh![key]!), key);
});

test('no sentence stands unused', () => {
  const text = sources('app').concat(sources('ui')).join('\n');
  const made = [...text.matchAll(/`([a-z]+\.)\$\{/g)].map(([, prefix]) => prefix!);
  const unused = Object.keys(zh).filter((key) => !text.includes(`'${key}'`) && !made.some((prefix) => key.startsWith(prefix)));
  assert.deepEqual(unused, []);
});

test('English goes by number', () => {
  assert.equal(fill('{n} {n|edit waits|edits wait}', { n: 1 }), '1 edit waits');
  assert.equal(fill('{n} {n|edit waits|edits wait}', { n: 3 }), '3 edits wait');
});

test('Chinese sentences use the punctuation of Chinese, and no space at their ends', () => {
  for (const [key, sentence] of Object.entries(zh as Record<string, string>)) {
    assert.doesNotMatch(sentence, /[\u4e00-\u9fff][,;!?]|[,;!?][\u4e00-\u9fff]/, key);
    assert.equal(sentence, sentence.trim(), key);
  }
});
