// Reading fields of records, whatever stands in them.

import { COLLECTIONS } from '../sdk/collections';
import type { CollectionInfo, LogEntry } from '../sdk/schema';
import type { Fields } from '../sdk/types';
import { titled } from '../ui/i18n';

const infos: Readonly<Record<string, CollectionInfo>> = COLLECTIONS;

export function infoOf(coll: string): CollectionInfo | undefined {
  return infos[coll];
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

export function count(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === 'number' ? value : null;
}

export function items(fields: Fields, name: string): string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function entries(fields: Fields, name: string): LogEntry<string>[] {
  const value = fields[name];
  return Array.isArray(value) ? (value as unknown as LogEntry<string>[]) : [];
}

/** The name of a choice of a field, as the schema gives it; what no schema knows is shown as it is. */
export function choiceName(coll: string, field: string, choice: string): string {
  const title = infos[coll]?.fields[field]?.enum?.[choice];
  return title === undefined ? choice : titled(title);
}

export function choicesOf(coll: string, field: string): string[] {
  return Object.keys(infos[coll]?.fields[field]?.enum ?? {});
}
