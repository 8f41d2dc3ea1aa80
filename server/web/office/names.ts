// What collections and fields are called, by the schemas that the pages were built with.

import { COLLECTIONS } from '../sdk/collections';
import type { CollectionInfo, FieldInfo } from '../sdk/schema';
import { titled } from '../ui/i18n';

const infos: Readonly<Record<string, CollectionInfo>> = COLLECTIONS;

export const collections: readonly string[] = Object.keys(infos);

/** The title without what stands in brackets: that explains, and is too long for a heading. */
export function collTitle(coll: string): string {
  const info = infos[coll];
  return info === undefined ? coll : titled(info.title).replace(/\s*[（(].*$/, '');
}

export function fieldTitle(coll: string, field: string): string {
  const title = infos[coll]?.fields[field]?.title;
  return title === undefined ? field : titled(title);
}

export function infoOf(coll: string): CollectionInfo | undefined {
  return infos[coll];
}

export function fieldOf(coll: string, field: string): FieldInfo | undefined {
  return infos[coll]?.fields[field];
}

/** The choices of a field that has some, with their names. */
export function choicesOf(coll: string, field: string): [string, string][] {
  return Object.entries(infos[coll]?.fields[field]?.enum ?? {}).map(([choice, title]) => [choice, titled(title)]);
}

/** Times as milliseconds since 1970, which the server writes; their names say so. */
export function isMoment(coll: string, field: string): boolean {
  return field.endsWith('_ms') && infos[coll]?.fields[field]?.type === 'integer';
}
