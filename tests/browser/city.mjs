// A small city for the pages: events with rosters, a station with a quota. The places are real, the people
// are not.

import { createScopes } from '../clients/fixtures.mjs';

// Phones and this program live in one zone, whatever the machine's.
process.env.TZ = 'Asia/Shanghai';

const SURNAMES = '陈林黄郑吴杨许蔡刘王张李曾谢洪江罗孙单方';
const GIVEN = ['伟', '静怡', '嘉豪', '晓敏', '志强', '雅婷', '建国', '佳琪', '泽楷', '淑芬', '俊杰', '思雨'];
const TEAMS = ['榕城轻骑兵', '进东社区志愿队', '蓝天救援队'];
const DAY_MS = 86_400_000;

export const EVENT = { scope: 'event:e101', id: 'e101' };
export const STATION = { scope: 'station:s012', id: 's012' };

/** Local time of a day near today, as fields hold it. */
export function at(days, hour, minute = 0) {
  const date = new Date(Date.now() + days * DAY_MS);
  date.setHours(hour, minute, 0, 0);
  const offset = -date.getTimezoneOffset();
  const two = (n) => String(n).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(hour)}:${two(minute)}:00${zone}`;
}

export function personName(i) {
  return SURNAMES[i % SURNAMES.length] + GIVEN[Math.floor(i / SURNAMES.length) % GIVEN.length] + (i >= 240 ? String(Math.floor(i / 240)) : '');
}

export function personId(i) {
  return `4452${String(10_000 + i)}`;
}

const EVENTS = [
  { id: 'e101', title: '进东社区便民服务日', category: 'daily_services', place: '进东社区党群服务中心', days: 0 },
  { id: 'e102', title: '榕江南河清滩护河', category: 'ecology', place: '榕江南河绿道', days: 0 },
  { id: 'e103', title: '暖冬义诊进乡村', category: 'health', place: '新亨镇卫生院', days: 2 },
  { id: 'e104', title: '应急救援技能培训', category: 'safety_emergency', place: '揭阳楼广场', days: 9 },
  { id: 'e105', title: '非遗剪纸进校园', category: 'culture_arts', place: '仙桥中学', days: -3 },
];

/** The city with its office's device. `people`: on the roster of the first event. */
export async function buildCity(server, { people = 36 } = {}) {
  const office = await createScopes(server, ...EVENTS.map(({ id }) => `event:${id}`), STATION.scope);
  for (const { id, title, days, ...rest } of EVENTS) {
    const set = { title, ...rest, starts: at(days, 0, 30), ends: at(days, 23, 30), state: days < 0 ? 'closed' : 'open',
                  description: '请穿志愿者马甲，提前十五分钟到场。' };
    office.edit(`event:${id}`, 'event', id, { set });
    office.edit(`event:${id}`, 'scope', `event:${id}`, { set: { title } });
  }
  for (let i = 0; i < people; ++i) {
    const id = personId(i);
    office.edit(EVENT.scope, 'volunteer', id, { set: { number: id, name: personName(i), team: TEAMS[i % TEAMS.length], state: 'active' } });
  }
  await office.sync();
  buildStation(office);
  await office.sync();
  return office;
}

function buildStation(office) {
  const { scope, id } = STATION;
  office.edit(scope, 'scope', scope, { set: { title: '火炬暖蜂驿站', kind: 'station' } });
  office.edit(scope, 'station', id, {
    set: { name: '火炬暖蜂驿站', kind: 'rest_station', address: '榕城区东升街道火炬路 12 号', open_hours: '08:00-20:00', state: 'open' },
    add: { services: ['rest', 'cooling', 'water', 'phone_charging', 'ebike_charging', 'microwave', 'first_aid', 'wifi', 'toilet'] },
  });
  office.edit(scope, 'quota', 'insurance', { set: { title: '骑手意外险' } });
  office.edit(scope, 'quota', 'insurance', { grant: { places: 40 } });
}
