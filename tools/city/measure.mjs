// How long a server takes to open its reports and lists, the first time and warm, and what a sheet of
// everything costs it. Asks with the administrator's token of its data folder.
//
//   node tools/city/measure.mjs --server http://127.0.0.1:8099 --data FOLDER --year 2025 [--pid N] [--runs 7]

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'http://127.0.0.1:8099' },
    data: { type: 'string' },
    year: { type: 'string', default: '2025' },
    pid: { type: 'string' },
    runs: { type: 'string', default: '7' },
  },
});
const token = readFileSync(`${values.data}/admin.token`, 'utf8').trim();
const period = `from=${values.year}-01-01&to=${values.year}-12-31`;
const LISTS_MS = 200;
const REPORTS_MS = 1000;

async function ask(path) {
  const begun = performance.now();
  const response = await fetch(values.server + path, { headers: { authorization: `Bearer ${token}` } });
  let bytes = 0;
  for await (const piece of response.body) bytes += piece.length;
  return { status: response.status, ms: performance.now() - begun, bytes, wait: Number(response.headers.get('retry-after') ?? 1) };
}

// A list that is still being read after a start is waited for; how long is said.
async function first(path) {
  const begun = performance.now();
  for (;;) {
    const answer = await ask(path);
    if (answer.status !== 503) return { ...answer, waited: performance.now() - begun - answer.ms };
    if (performance.now() - begun > 600_000) throw new Error(`${path}: not ready after ten minutes`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(answer.wait, 1) * 1000));
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function row(path, most) {
  const cold = await first(path);
  const warm = [];
  for (let i = 0; i < Number(values.runs); ++i) warm.push((await ask(path)).ms);
  const slow = Math.max(...warm) > most || cold.ms > most ? '  <-- over' : '';
  const waited = cold.waited > 100 ? `, ready after ${(cold.waited / 1000).toFixed(1)} s` : '';
  console.log(`${cold.status} ${cold.ms.toFixed(0).padStart(6)} ${median(warm).toFixed(1).padStart(7)} ${Math.max(...warm).toFixed(1).padStart(7)}  ${path}${waited}${slow}`);
}

function memory(what) {
  if (!values.pid) return;
  const kib = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${values.pid}/status`, 'utf8'))?.[1] ?? 0);
  console.log(`  memory ${what}: ${Math.round(kib('VmRSS') / 1024)} MiB now, ${Math.round(kib('VmHWM') / 1024)} MiB at most`);
}

console.log('status first ms, median and longest warm');
console.log('Lists, pages of 50:');
for (const path of [
  'event', 'event?sort=-starts', 'event?q=%E4%B9%89%E8%AF%8A', 'event?category=health&sort=title', 'station?sort=name',
  'volunteer', 'volunteer?sort=name', 'volunteer?q=%E9%99%88%E4%BC%9F', 'volunteer?sort=name&offset=400000', 'volunteer?state=active&sort=-seq',
]) await row(`/v1/lists/${path}`, LISTS_MS);
memory('with these lists');

console.log('Reports, the first page of the year:');
for (const path of [
  'visits', 'visits?by=day', 'visits?by=station', 'visits?by=station,month', 'visits?by=month,visitor', 'visits?by=hour', 'visits?by=service',
  'visits?by=district', 'hours', 'hours?by=person', 'hours?by=team', 'hours?by=category', 'hours?by=town', 'hours?by=event', 'attendance', 'points',
]) await row(`/v1/reports/${path}${path.includes('?') ? '&' : '?'}${period}`, REPORTS_MS);
memory('after the reports');

console.log('Files:');
for (const kind of ['csv', 'xlsx']) {
  const file = await first(`/v1/reports/attendance.${kind}?${period}`);
  console.log(`${file.status} attendance of the year as ${kind}: ${(file.bytes / 1048576).toFixed(1)} MiB in ${(file.ms / 1000).toFixed(1)} s`);
  memory(`after the ${kind}`);
}
