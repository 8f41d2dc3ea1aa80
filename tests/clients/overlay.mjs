// What a device shows: the record as the server sent it, with the device's own ops that are not in it
// yet laid over. It is a guess at what the server will make of them, and is thrown away when the
// server's own record comes.

import { canonical } from './canonical.mjs';

// `record` is a change as received, or undefined; the result has the same form.
export function overlaid(record, ops, device) {
  return ops.reduce((shown, op) => withOp(shown, op, device), record);
}

function withOp(record, op, device) {
  const base = record ?? { scope: op.scope, coll: op.coll, id: op.id, seq: 0, deleted: true };
  if (op.del) return { ...withoutFields(base), deleted: true };
  const { deleted, ...alive } = base;
  return { ...alive, fields: withEdits(base.fields ?? {}, op, device) };
}

function withoutFields({ fields, ...rest }) {
  return rest;
}

function withEdits(fields, op, device) {
  const shown = new Map(Object.entries(fields));
  for (const [name, value] of Object.entries(op.set ?? {})) setRegister(shown, name, value);
  for (const [name, by] of Object.entries(op.inc ?? {})) shown.set(name, (shown.get(name) ?? 0) + by);
  for (const [name, values] of Object.entries(op.remove ?? {})) removeElements(shown, name, values);
  for (const [name, values] of Object.entries(op.add ?? {})) addElements(shown, name, values);
  for (const [name, values] of Object.entries(op.append ?? {})) appendEntries(shown, name, values, op, device);
  // fromEntries and not assignment: a field may be called __proto__.
  return Object.fromEntries(shown);
}

function setRegister(shown, name, value) {
  if (value === null) shown.delete(name);
  else shown.set(name, value);
}

function removeElements(shown, name, values) {
  changeSet(shown, name, (elements) => values.forEach((value) => elements.delete(canonical(value))));
}

function addElements(shown, name, values) {
  changeSet(shown, name, (elements) => values.forEach((value) => elements.set(canonical(value), value)));
}

function changeSet(shown, name, change) {
  const elements = new Map((shown.get(name) ?? []).map((value) => [canonical(value), value]));
  change(elements);
  if (elements.size === 0) return shown.delete(name);
  const inByteOrder = [...elements].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return shown.set(name, inByteOrder.map(([, value]) => value));
}

function appendEntries(shown, name, values, op, device) {
  const entries = values.map((v) => ({ at: op.wall, by: device, v }));
  shown.set(name, [...(shown.get(name) ?? []), ...entries]);
}
