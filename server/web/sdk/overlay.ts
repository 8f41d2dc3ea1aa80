// What a device shows: the record as the server sent it, with the device's own ops that are not in it yet laid
// over. It is a guess at what the server will make of them, and is thrown away when the server's own record
// comes.

import { canonical, inByteOrder } from './canonical';
import type { LogEntry, QuotaValue } from './schema';
import type { Edits, Fields, Json, Verdict } from './types';

/** One op to be laid over; `wall` is when it was written. `verdict` tells how much a lease was given. */
export interface Laid {
  edits: Edits;
  wall: number;
  verdict: Verdict | null;
}

/** `fields` of a record that is not there are undefined; so is the result for one that is deleted. */
export function overlaid(fields: Fields | undefined, ops: Laid[], device: string): Fields | undefined {
  return ops.reduce((shown, op) => (op.edits.del ? undefined : withEdits(shown ?? {}, op, device)), fields);
}

function withEdits(fields: Fields, { edits, wall, verdict }: Laid, device: string): Fields {
  // A map and fromEntries, not assignment: a field may be called __proto__.
  const shown = new Map(Object.entries(fields));
  for (const [name, value] of Object.entries(edits.set ?? {})) setRegister(shown, name, value);
  for (const [name, by] of Object.entries(edits.inc ?? {})) shown.set(name, numberOf(shown.get(name)) + by);
  for (const [name, values] of Object.entries(edits.remove ?? {})) {
    changeSet(shown, name, (elements) => values.forEach((value) => elements.delete(canonical(value))));
  }
  for (const [name, values] of Object.entries(edits.add ?? {})) {
    changeSet(shown, name, (elements) => values.forEach((value) => elements.set(canonical(value), value)));
  }
  for (const [name, values] of Object.entries(edits.append ?? {})) {
    shown.set(name, [...listOf(shown.get(name)), ...values.map((v) => ({ at: wall, by: device, v }) satisfies LogEntry<Json>)]);
  }
  moveQuotas(shown, edits, verdict, device);
  return Object.fromEntries(shown);
}

function setRegister(shown: Map<string, Json>, name: string, value: Json): void {
  if (value === null) shown.delete(name);
  else shown.set(name, value);
}

function changeSet(shown: Map<string, Json>, name: string, change: (elements: Map<string, Json>) => void): void {
  const elements = new Map(listOf(shown.get(name)).map((value) => [canonical(value), value]));
  change(elements);
  if (elements.size === 0) shown.delete(name);
  else shown.set(name, inByteOrder(elements));
}

/** What one op does to the device's own lease of a quota field. */
export function leaseMove(edits: Edits, verdict: Verdict | null, field: string): number {
  const given = verdict?.ok ? (verdict.leased?.[field] ?? 0) : 0;
  return given - (edits.spend?.[field] ?? 0) - (edits.return?.[field] ?? 0);
}

function moveQuotas(shown: Map<string, Json>, edits: Edits, verdict: Verdict | null, device: string): void {
  for (const part of [edits.grant, edits.lease, edits.spend, edits.return]) {
    for (const name of Object.keys(part ?? {})) {
      const before = quotaOf(shown.get(name));
      const granted = edits.grant?.[name] ?? 0;
      const spent = edits.spend?.[name] ?? 0;
      const moved = leaseMove(edits, verdict, name);
      const lease = before.leases[device] ?? { left: 0, expires: 0 };
      shown.set(name, {
        granted: before.granted + granted,
        free: before.free + granted - spent - moved,
        spent: before.spent + spent,
        leases: moved === 0 ? before.leases : { ...before.leases, [device]: { ...lease, left: lease.left + moved } },
      });
    }
  }
}

export function quotaOf(value: Json | undefined): QuotaValue {
  const none = { granted: 0, free: 0, spent: 0, leases: {} };
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...none, ...(value as unknown as QuotaValue) } : none;
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
