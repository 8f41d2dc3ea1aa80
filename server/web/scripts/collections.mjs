// Writes sdk/collections.ts from schemas/collections/: for each collection the newest version's fields as
// types, and its titles, choices and limits as values. Run before every build, check and test.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FROM = new URL('../../../schemas/collections/', import.meta.url);
const TO = new URL('../sdk/collections.ts', import.meta.url);
const VALUE_TYPES = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', time: 'string', date: 'string' };
const KEPT = ['merge', 'type', 'title', 'required', 'enum', 'max_length', 'min', 'max', 'max_items', 'by', 'personal', 'redirect', 'max_lease', 'lease_hours'];

const newest = new Map();
for (const file of readdirSync(FROM).filter((name) => name.endsWith('.json')).sort()) {
  const schema = JSON.parse(readFileSync(new URL(file, FROM), 'utf8'));
  if ((newest.get(schema.collection)?.version ?? 0) < schema.version) newest.set(schema.collection, schema);
}
const schemas = [...newest.values()];

const text = `// Made by scripts/collections.mjs from schemas/collections/. Not to be edited.

import type { CollectionInfo, LogEntry, QuotaValue } from './schema';

${schemas.map(interfaceOf).join('\n\n')}

/** The fields of each collection's records, as shown. */
export interface Collections {
${schemas.map(({ collection }) => `  ${collection}: ${typeName(collection)};`).join('\n')}
}

export const COLLECTIONS = ${JSON.stringify(Object.fromEntries(schemas.map(infoOf)), null, 2)} as const satisfies Record<keyof Collections, CollectionInfo>;
`;
// Left alone where nothing is new, so that no watcher builds for nothing.
if (!hasText(TO, text)) writeFileSync(TO, text);
console.log(`${fileURLToPath(TO)}: ${schemas.length} collections`);

function interfaceOf({ collection, title, fields }) {
  const members = Object.entries(fields).map(([name, field]) => `  /** ${field.title.en}. */\n  ${name}?: ${shownType(field)};`);
  return `/** ${title.en}. */\nexport interface ${typeName(collection)} {\n${members.join('\n')}\n}`;
}

function shownType(field) {
  const value = field.enum ? Object.keys(field.enum).map((choice) => `'${choice}'`).join(' | ') : VALUE_TYPES[field.type];
  switch (field.merge) {
    case 'set': return field.enum ? `(${value})[]` : `${value}[]`;
    case 'log': return `LogEntry<${value}>[]`;
    case 'quota': return 'QuotaValue';
    default: return value;
  }
}

function typeName(collection) {
  return `${collection.split('_').map((word) => word[0].toUpperCase() + word.slice(1)).join('')}Fields`;
}

function infoOf({ collection, version, title, key, facts = false, deletable = !facts, derived = false, fields }) {
  const kept = Object.entries(fields).map(([name, field]) => [name, pick(field)]);
  return [collection, { version, title, ...(key && { key }), facts, deletable, derived, fields: Object.fromEntries(kept) }];
}

function pick(field) {
  return Object.fromEntries(KEPT.filter((name) => name in field).map((name) => [name, field[name]]));
}

function hasText(file, wanted) {
  try {
    return readFileSync(file, 'utf8') === wanted;
  } catch {
    return false;
  }
}
