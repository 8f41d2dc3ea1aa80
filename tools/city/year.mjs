// A year of the whole city as files for `waystation import`: stations, events, people, attendance and
// visits, in the sizes of the real one. The places are real (schemas/data/), the people are not. The
// same seed makes the same files.
//
//   node tools/city/year.mjs --out FOLDER [--scale 1] [--year 2025] [--seed 1]

import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    scale: { type: 'string', default: '1' },
    year: { type: 'string', default: '2025' },
    seed: { type: 'string', default: '1' },
  },
});
const scale = Number(values.scale);
if (!values.out || !(scale > 0 && scale <= 1)) {
  console.error('year.mjs --out FOLDER [--scale 0.01..1] [--year 2025] [--seed 1]');
  process.exit(2);
}

// Of the city at the end of 2024.
const STATIONS = 159;
const EVENTS = Math.max(1, Math.round(15_000 * scale));
const PEOPLE = Math.max(1, Math.round(800_000 * scale));
const ATTENDANCES = Math.round(700_000 * scale);
const VISITS = Math.round(10_000_000 * scale);
const STATIONS_A_FILE = 16; // about a million visits
const EVENTS_A_FILE = 5_000;

// --- chance --------------------------------------------------------------------------------------
let state = Number(values.seed) >>> 0;
function random() { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let x = state;
  x = Math.imul(x ^ (x >>> 15), x | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const one = (list) => list[below(list.length)];
function weighted(table) {
  let at = random() * table.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of table) if ((at -= weight) < 0) return value;
  return table[0][0];
}

// --- words ---------------------------------------------------------------------------------------
const SURNAMES = [...'陈林黄张李王吴刘蔡杨许郑谢郭洪曾邱周叶苏徐方江罗高萧朱钟彭何庄卢魏沈姚温余翁袁孙']; // of the region
const GIVEN = [...'伟芳娜敏静丽强磊洋艳勇军杰娟涛超明霞平刚桂英华玉兰志文建国海燕晓春雪梅秋月佳欣子轩雨桐浩然思远嘉怡俊宇泽楷锐彬彦淑惠婷'];
const CATEGORIES = [['health', 3], ['ecology', 2], ['daily_services', 4], ['safety_emergency', 1], ['culture_arts', 2], ['science', 1]];
const TITLES = {
  health: ['义诊', '健康讲座', '血压测量日'], ecology: ['清滩护河', '植树', '垃圾分类宣传'],
  daily_services: ['便民服务日', '理发进社区', '家电维修'], safety_emergency: ['消防演练', '防汛值守'],
  culture_arts: ['非遗剪纸进校园', '潮剧进社区'], science: ['科普课堂', '天文观测'],
};
const VISITORS = [['delivery_rider', 38], ['courier', 26], ['ride_hailing_driver', 12], ['lorry_driver', 8], ['sanitation_worker', 9], ['traffic_police', 3], ['streamer', 1], ['other', 3]];
const SERVICES = [['water', 40], ['rest', 30], ['phone_charging', 18], ['microwave', 8], ['toilet', 12], ['wifi', 8], ['ebike_charging', 7], ['books', 2], ['umbrella', 2], ['first_aid', 1], ['refrigerator', 1]];
const HOURS = [1, 0.5, 0.3, 0.2, 0.3, 1, 3, 6, 8, 9, 10, 13, 14, 12, 11, 10, 9, 9, 9, 8, 6, 5, 3, 2].map((weight, hour) => [hour, weight]);

// --- files ---------------------------------------------------------------------------------------
mkdirSync(values.out, { recursive: true });
class File {
  constructor(name, head) {
    this.fd = openSync(`${values.out}/${name}.csv`, 'w');
    this.text = `${head}\n`;
  }
  line(...cells) {
    this.text += `${cells.join(',')}\n`; // no cell has a comma or a quote in it
    if (this.text.length > 1 << 20) this.flush();
  }
  flush() { writeSync(this.fd, this.text); this.text = ''; }
  close() { this.flush(); closeSync(this.fd); }
}
const two = (n) => String(n).padStart(2, '0');
const DAYS = Array.from({ length: 366 }, (_, i) => new Date(Date.UTC(Number(values.year), 0, 1 + i)))
  .filter((day) => day.getUTCFullYear() === Number(values.year))
  .map((day) => day.toISOString().slice(0, 10));
const clock = (day, minutes) => `${day}T${two(Math.floor(minutes / 60))}:${two(Math.floor(minutes) % 60)}:${two(below(60))}+08:00`;

// --- the city ------------------------------------------------------------------------------------
const lines = readFileSync(new URL('../../schemas/data/jieyang-divisions.csv', import.meta.url), 'utf8').trim().split('\n');
const columns = lines[0].replace('\ufeff', '').trim().split(',');
const villages = lines.slice(1).map((line) => {
  const cells = line.trim().split(',');
  const cell = (name) => cells[columns.indexOf(name)];
  return { code: cell('village_code'), name: cell('village').replace(/居民委员会|村民委员会|居委会|村委会/u, ''), town: cell('town'), people: [] };
});

const stations = new File('stations', 'id,name,kind,division,state');
const stationIds = [];
for (let i = 1; i <= STATIONS; ++i) {
  const village = one(villages);
  const id = `s${String(i).padStart(3, '0')}`;
  stationIds.push(id);
  const kind = i % 8 === 0 ? 'drivers_home' : 'rest_station';
  stations.line(id, `${village.name}${kind === 'drivers_home' ? '司机之家' : '暖蜂驿站'}`, kind, village.code, 'open');
}
stations.close();

const people = new File('roster', 'scope,number,name,phone_tail,team,state');
for (let i = 1; i <= PEOPLE; ++i) {
  const village = villages[Math.min(below(villages.length), below(villages.length))]; // some are large
  const id = `v${String(i).padStart(6, '0')}`;
  village.people.push(id);
  const name = one(SURNAMES) + one(GIVEN) + (random() < 0.85 ? one(GIVEN) : '');
  people.line(village.code, id, name, String(below(10000)).padStart(4, '0'), random() < 0.2 ? `${village.town}志愿服务队` : '', 'active');
}
people.close();
const inhabited = villages.filter((village) => village.people.length > 0);

const events = new File('events', 'id,title,category,place,division,starts,ends,state');
const perEvent = ATTENDANCES / EVENTS;
let attendance;
let left = ATTENDANCES;
for (let i = 1; i <= EVENTS; ++i) {
  if ((i - 1) % EVENTS_A_FILE === 0) {
    attendance?.close();
    attendance = new File(`attendance-${two((i - 1) / EVENTS_A_FILE + 1)}`, 'event,volunteer,signed_in,signed_out,minutes,points');
  }
  const village = one(inhabited);
  const category = weighted(CATEGORIES);
  const id = `e${String(i).padStart(5, '0')}`;
  const day = one(DAYS);
  const starts = 60 * (7 + below(10));
  const length = 60 * (1 + below(5));
  events.line(id, `${village.name}${one(TITLES[category])}`, category, village.name, village.code, clock(day, starts), clock(day, starts + length), 'closed');
  // The last takes what is left, as far as there are people.
  const wanted = i === EVENTS ? left : Math.min(left, Math.round(perEvent * (0.3 + 1.4 * random())));
  const came = new Set();
  for (let tries = 0; came.size < wanted && tries < wanted * 4; ++tries) {
    came.add(one(random() < 0.7 ? village.people : one(inhabited).people));
  }
  left -= came.size;
  for (const person of came) {
    const from = starts - 15 + below(30);
    const minutes = Math.max(15, length - 20 + below(40));
    const out = random() < 0.96; // some forget
    attendance.line(id, person, clock(day, from), out ? clock(day, Math.min(1439, from + minutes)) : '', out ? minutes : '', out ? Math.round(minutes / 30) : '');
  }
}
attendance?.close();
events.close();

let visits;
let made = 0;
for (const [index, station] of stationIds.entries()) {
  if (index % STATIONS_A_FILE === 0) {
    visits?.close();
    visits = new File(`visits-${two(index / STATIONS_A_FILE + 1)}`, 'station,id,visitor,at,services,party_size');
  }
  const upTo = Math.round((VISITS * (index + 1)) / stationIds.length);
  for (let n = 1; made < upTo; ++made, ++n) {
    const used = new Set([weighted(SERVICES)]);
    if (random() < 0.4) used.add(weighted(SERVICES));
    visits.line(station, `${station}-${n}`, weighted(VISITORS), clock(one(DAYS), 60 * weighted(HOURS) + below(60)), [...used].join(';'), random() < 0.1 ? 2 + below(3) : '');
  }
}
visits.close();
console.log(`${STATIONS} stations, ${EVENTS} events, ${PEOPLE} people, ${ATTENDANCES - left} attendances, ${made} visits in ${values.out}`);
