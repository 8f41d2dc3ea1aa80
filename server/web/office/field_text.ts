import type { Fields } from '../sdk/types';

/** A text of a record; '' where there is none. */
export function text(fields: Fields | Record<string, unknown> | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === 'string' ? value : '';
}
