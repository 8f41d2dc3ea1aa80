// The audit log backwards: the server tells it from a number on, the oldest first, and how far it goes.

import { get } from './api';
import type { AuditEntry, AuditReply } from './types';

export interface AuditPart {
  /** The newest first. */
  entries: AuditEntry[];
  head: AuditReply['head'];
  /** Entries with this number and lower ones are still unread; 0: none. */
  before: number;
}

/** The `count` entries up to number `upTo`; up to the end where it is null. */
export async function readBack(upTo: number | null, count: number, signal?: AbortSignal): Promise<AuditPart> {
  const top = upTo ?? (await get<AuditReply>('/v1/audit', { limit: 1 }, signal)).head.n;
  const from = Math.max(0, top - count);
  const { audit, head } = await get<AuditReply>('/v1/audit', { after: from, limit: count }, signal);
  // What was written meanwhile is newer than what was asked for: it comes with the next reading of the end.
  const entries = audit.filter(({ n }) => n <= top).reverse();
  return { entries, head, before: entries.length === 0 ? 0 : from };
}

export function matchesAudit(entry: AuditEntry, q: string): boolean {
  if (q === '') return true;
  const text = `${entry.n} ${entry.who} ${entry.what} ${entry.on} ${JSON.stringify(entry.details)}`.toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** One field of a CSV file (RFC 4180); no spreadsheet takes it for a formula. */
export function csvField(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COLUMNS = ['n', 'time', 'who', 'what', 'on', 'details', 'hash'] as const;

export function csvLine(entry: AuditEntry): string {
  return [String(entry.n), new Date(entry.time).toISOString(), entry.who, entry.what, entry.on, JSON.stringify(entry.details), entry.hash].map(csvField).join(',');
}

const CSV_PAGE = 1_000;

/** The whole log up to its end of now, oldest first. The last line says how many entries there are. */
export async function auditCsv(onProgress: (done: number, of: number) => void): Promise<Blob> {
  const lines: string[] = [COLUMNS.join(',')];
  let after = 0;
  let end: number | null = null;
  for (;;) {
    const { audit, head }: AuditReply = await get<AuditReply>('/v1/audit', { after, limit: CSV_PAGE });
    end ??= head.n;
    for (const entry of audit) if (entry.n <= end) lines.push(csvLine(entry));
    const last = audit.at(-1)?.n ?? end;
    onProgress(Math.min(last, end), end);
    if (last >= end) break;
    after = last;
  }
  lines.push(`# ${lines.length - 1} rows`);
  return new Blob(['\ufeff', lines.join('\r\n'), '\r\n'], { type: 'text/csv;charset=utf-8' });
}
