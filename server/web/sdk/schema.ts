// What a collection's schema says of its fields: the shapes that collections.ts (made from the schema
// files) fills in.

export type Language = 'zh' | 'en';
export type Title = Readonly<Record<Language, string>>;

export interface FieldInfo {
  readonly merge: 'register' | 'counter' | 'set' | 'log' | 'quota';
  /** Of the value, the element or the entry. time: RFC 3339 with offset; date: YYYY-MM-DD. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'time' | 'date';
  readonly title: Title;
  readonly required?: boolean;
  readonly enum?: Readonly<Record<string, Title>>;
  readonly max_length?: number;
  readonly min?: number;
  readonly max?: number;
  readonly max_items?: number;
  readonly by?: 'server';
  readonly personal?: boolean;
  readonly redirect?: boolean;
  readonly max_lease?: number;
  readonly lease_hours?: number;
}

export interface CollectionInfo {
  readonly version: number;
  readonly title: Title;
  /** The fields whose values, joined by "~", are the record's id. */
  readonly key?: readonly string[];
  readonly facts: boolean;
  readonly deletable: boolean;
  readonly derived: boolean;
  readonly fields: Readonly<Record<string, FieldInfo>>;
}

/** An entry of a log field, as shown; `at` in ms since 1970, `by` a device id. */
export interface LogEntry<T> {
  at: number;
  by: string;
  v: T;
}

/** A quota field, as shown; leases by device id, `expires` in ms since 1970 of the server's clock. */
export interface QuotaValue {
  granted: number;
  free: number;
  spent: number;
  leases: Record<string, { left: number; expires: number }>;
}
