// The server's answers, as docs/protocol.md and schemas/messages give them.

import type { Edits, Fields, Json, RecordKey } from '../sdk/types';

export const ROLES = ['volunteer', 'lead', 'station', 'office', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

export interface DeviceRow {
  device: string;
  name: string;
  app: string;
  role: Role;
  scopes: string[];
  branches: string[];
  full: boolean;
  applied: number;
  refused: number;
  enrolled: number;
  last_seen: number | null;
  queued: number;
  oldest: number;
  skew_ms: number;
  clock_wrong: boolean;
  state: 'active' | 'draining' | 'closed';
  since: number | null;
  replaces: string | null;
  replaced_by: string | null;
  wipe: { ordered: number; now: boolean; confirmed: number | null; discarded: number } | null;
  online?: boolean;
  /** By which somebody of the office writes. */
  desk?: boolean;
}

export interface DevicesReply {
  devices: DeviceRow[];
  total?: number;
  matching?: number;
}

export interface CodeRequest {
  scopes?: string[];
  role?: Role;
  replaces?: string;
  name?: string;
  uses?: number;
  expires_s: number;
}

export interface CodeReply {
  code: string;
  id: string;
  qr: string;
  role: Role | null;
  expires: number;
  uses: number;
}

export interface CodeRow {
  id: string;
  name: string;
  scopes: string[];
  role: Role | null;
  replaces: string | null;
  uses: number;
  created: number | null;
  expires: number;
}

export interface Account {
  name: string;
  display: string;
  role: 'office' | 'administrator';
  disabled: boolean;
  password: boolean;
  second_factor: boolean;
  recovery_codes: number;
  sessions: number;
  made: number;
  signed_in: number | null;
  link_expires: number | null;
}

export interface LinkReply {
  account?: Account;
  secret: string;
  path: string;
  expires: number;
}

export interface Decision {
  allowed: boolean;
  /** In English; `code` and `about` say the same in any language. */
  reason: string;
  code: string;
  about: { place?: string; rule?: unknown; scope?: string; role?: Role; detail?: string };
}

export interface AccessReply {
  device: string;
  name: string;
  role: Role;
  earlier: { role: Role; until: number }[];
  left: number | null;
  scope: string;
  coll: string;
  id: string;
  exists: boolean;
  read: Decision;
  write: Decision;
  delete: Decision;
  fields: { field: string; read: Decision; write: Decision & { does: string[] } }[];
}

export interface AuditEntry {
  n: number;
  time: number;
  who: string;
  what: string;
  on: string;
  details: Record<string, unknown>;
  hash: string;
}

export interface AuditReply {
  audit: AuditEntry[];
  head: { n: number; hash: string };
  next?: string;
}

export interface RecordRow {
  scope: string;
  coll: string;
  id: string;
  seq: number;
  fields?: Fields;
  deleted?: boolean;
  conflicts?: number;
}

export interface ListReply {
  coll: string;
  total: number;
  matching: number;
  offset: number;
  rows: RecordRow[];
  seq: number;
}

/** An op as it was handed in: a device may have written anything into it. */
export type HandedIn = Partial<RecordKey & Edits> & { n?: number; base?: number; schema?: number };

export interface HistoryStep {
  device: string;
  name: string;
  n: number;
  seq: number;
  /** ms since 1970, as all times here. */
  stamp: number;
  received: number;
  op: HandedIn;
}

export interface HistoryReply {
  history: HistoryStep[];
  next?: string | null;
}

export interface ConflictRow extends RecordKey {
  field: string;
  kind: 'concurrent' | 'deleted' | 'late';
  value: Json;
  by: string;
  n: number;
  part?: number;
  stamp: number;
  winner?: { value: Json; by: string };
  review?: { by: string; n: number; stamp: number };
}

export interface ConflictsReply {
  conflicts: ConflictRow[];
  next?: string | null;
}

export type Saw = { record: 'unknown' | 'deleted' } | { record: 'live'; value: Json };

export interface Author {
  by: string;
  name: string;
  n: number;
  seq?: number;
  stamp?: number;
  wall?: number;
  received?: number;
  saw?: Saw;
}

export interface Conflict extends RecordKey {
  seq: number;
  field: string;
  merge: 'register' | 'counter' | 'set' | 'log' | 'quota';
  kind: ConflictRow['kind'];
  state: 'open' | 'settled' | 'agrees';
  value: Json;
  part: number;
  lost: Author;
  winner?: Author & { value?: Json; deleted?: true };
  review?: { settled: boolean; by: string; name: string; n: number; stamp: number };
}

export interface QuarantineReply {
  quarantine: { device: string; n: number; code: string; detail: string; received: number; op: HandedIn }[];
  next?: string | null;
}

export interface EraseReply {
  person: string;
  mark: string;
  state: 'erased' | 'erased_before' | 'unknown';
  erased: { records: (RecordKey & { fields: string[] })[]; history_ops: number; conflicts: number; refused: number };
  remains: { what: string; count: number; why: string; places?: RecordKey[] }[];
}
