// What the sync line says, from a device's tables.

import { isLost } from './queue';
import type { Entry } from './state';
import type { Tables } from './tables';
import type { Link, SyncStatus } from './types';

export function statusOf(tables: Tables, link: Link, persistent: boolean | null): SyncStatus {
  const progress = tables.meta('progress');
  let waiting = 0;
  let oldest: number | null = null;
  for (const [, entry] of tables.entries('ops')) {
    const { op, verdict } = entry as Entry;
    if (verdict !== null || isLost(op)) continue;
    waiting += 1;
    oldest = Math.min(oldest ?? op.wall, op.wall);
  }
  return {
    device: tables.meta('identity')?.device ?? null,
    standing: standingOf(tables),
    connection: link.connection,
    waiting,
    oldest,
    applied: progress?.applied ?? 0,
    last: (progress?.next ?? 1) - 1,
    backedUp: progress?.backedUp ?? null,
    refused: tables.keys('refused').length,
    lastContact: progress?.lastContact ?? null,
    skew: progress?.skew ?? null,
    filling: progress?.filling ?? null,
    persistent,
    stopped: tables.meta('stopped') ?? null,
    trouble: link.trouble,
  };
}

function standingOf(tables: Tables): SyncStatus['standing'] {
  if (tables.meta('identity') === undefined) return tables.meta('wiped') ? 'wiped' : 'new';
  if (tables.meta('wipe') !== undefined) return 'wiping';
  if (tables.meta('stopped')?.startsWith('auth.')) return 'closed';
  return tables.meta('progress')?.draining ? 'draining' : 'active';
}
