// What a city's office has to look after: values in conflict, people who were entered twice, edits that were
// refused, a day's visits. Written by phones that were out of coverage at the same time.

import { createHash } from 'node:crypto';
import { Device } from '../clients/client.mjs';
import { at, EVENT, personId, STATION } from './city.mjs';

/** Somebody whose name stands nowhere else. */
export const PERSON = { id: 'p900', name: '欧阳晓岚', tail: '7316', note: '住东门外巷七号' };

export async function deviceOf(server, name, { role = 'lead', scopes = [EVENT.scope, STATION.scope] } = {}) {
  const device = new Device({ url: server.url, app: 'companion 0.1.0' });
  await device.enroll(await server.createCode(scopes, { role, name }), name);
  await device.sync();
  return device;
}

/** Both write without seeing each other: the first one's value came in first. */
export async function apart(one, other, [scope, coll, id], sets) {
  await one.sync();
  await other.sync();
  one.edit(scope, coll, id, { set: sets[0] });
  other.edit(scope, coll, id, { set: sets[1] });
  await one.sync();
  await other.sync();
  await one.sync();
}

export async function trouble(server, { attended = 10 } = {}) {
  const one = await deviceOf(server, '进东社区 1 号手机');
  const other = await deviceOf(server, '榕城轻骑兵 领队');
  for (let i = 0; i < attended; i++) {
    const left = i % 2 === 0 && { signed_out: at(0, 11, 10 + i), minutes: 190, points: 19 + i };
    one.edit(EVENT.scope, 'attendance', `${EVENT.id}~${personId(i)}`, { set: { event: EVENT.id, volunteer: personId(i), signed_in: at(0, 8, i), ...left }, ...(i === 2 && { append: { remarks: ['带了两箱水'] } }) });
  }
  one.edit(EVENT.scope, 'volunteer', PERSON.id, { set: { name: PERSON.name, phone_tail: PERSON.tail, state: 'active' } });
  one.edit(EVENT.scope, 'attendance', `${EVENT.id}~${PERSON.id}`, { set: { event: EVENT.id, volunteer: PERSON.id, signed_in: at(0, 8, 45) } });
  await apart(one, other, [EVENT.scope, 'event', EVENT.id], [{ place: '进东社区文化广场', headcount: 42 }, { place: '进东小学操场', headcount: 40 }]);
  await apart(one, other, [EVENT.scope, 'volunteer', PERSON.id], [{ note: PERSON.note }, { note: `${PERSON.name}不吃辣` }]);
  await twice(one, other);
  await refused(one);
  await visits(other);
  return { one, other };
}

async function twice(one, other) {
  one.edit(EVENT.scope, 'volunteer', 'w1', { set: { name: '方志明', phone_tail: '8821', team: '进东社区志愿队', state: 'active' }, add: { skills: ['急救'] } });
  other.edit(EVENT.scope, 'volunteer', 'w2', { set: { name: '方志明', phone_tail: '8821', state: 'active' } });
  one.edit(EVENT.scope, 'attendance', `${EVENT.id}~w1`, { set: { event: EVENT.id, volunteer: 'w1', signed_in: at(0, 8, 40) } });
  await one.sync();
  await other.sync();
}

async function refused(one) {
  one.edit(EVENT.scope, 'event', 'e101', { set: { headcount: 9_999_999 } });
  one.edit(EVENT.scope, 'volunteer', PERSON.id, { set: { name: PERSON.name, phone_tail: '13800137316' } });
  one.edit(EVENT.scope, 'note', 'n-long', { set: { text: '饮用水只剩半箱', author: '陈'.repeat(51) } });
  await one.sync();
}

async function visits(other) {
  const day = at(0, 9).slice(0, 10);
  for (let i = 0; i < 9; i++) {
    other.edit(STATION.scope, 'visit', `v${i}`, { set: { visitor: ['courier', 'delivery_rider', 'lorry_driver'][i % 3], at: at(0, 9, i * 4) }, add: { services: ['water', 'rest'] } });
  }
  other.edit(STATION.scope, 'station_day', `${STATION.id}~${day}`, { set: { station: STATION.id, day }, inc: { courier: 12, water: 8, rest: 5 } });
  other.edit(EVENT.scope, 'note', 'n1', { set: { text: '下午要补饮用水。', about: `event/${EVENT.id}`, author: '陈静怡' } });
  await other.sync();
}

/** A photo of a record, with its file. */
export async function photoOf(server, device, scope, about, id, bytes, note) {
  const hash = createHash('sha256').update(bytes).digest('hex');
  device.edit(scope, 'photo', id, { set: { about, blob: hash, bytes: bytes.length, media_type: 'image/png', taken: at(0, 9, 20), note } });
  await device.sync();
  const headers = { authorization: `Bearer ${device.id}.${device.token}`, 'tus-resumable': '1.0.0' };
  const made = await fetch(`${server.url}/v1/blobs`, { method: 'POST', headers: { ...headers, 'upload-length': String(bytes.length), 'upload-metadata': `sha256 ${Buffer.from(hash).toString('base64')}` } });
  await fetch(new URL(made.headers.get('location'), server.url), { method: 'PATCH', headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, body: bytes });
}
