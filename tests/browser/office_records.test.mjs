// The office at its records: lists, one record with its history, conflicts, people entered twice, refused edits,
// and somebody who is erased. Two administrators are at work at once.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { findings } from './barriers.mjs';
import { at, buildCity, EVENT, personId, STATION } from './city.mjs';
import { account, DESK, goTo, NARROW, signedInDesk, twoAdministrators } from './office_desk.mjs';
import { apart, PERSON, photoOf, trouble } from './office_trouble.mjs';
import { browserFor, enrolledPhone } from './phone.mjs';

const scope = encodeURIComponent(EVENT.scope);
const record = (coll, id, inside = EVENT.scope) => `#/records/${encodeURIComponent(inside)}/${coll}/${encodeURIComponent(id)}`;

let server, browser, one, other, mei, jie;
before(async () => {
  server = await startServer();
  await buildCity(server, { people: 120 });
  ({ one, other } = await trouble(server));
  browser = await browserFor();
  ({ mei, jie } = await twoAdministrators(browser, server));
});
after(async () => {
  await browser?.close();
  await server?.remove();
  for (const desk of [mei, jie]) if (desk !== undefined) assert.deepEqual(desk.errors, []);
});

const button = (page, name) => page.getByRole('button', { name, exact: true });
const card = (page, name) => page.getByRole('region', { name, exact: true });
const current = async (coll, id, at = EVENT.scope) => (await server.admin('GET', `/v1/records?scope=${encodeURIComponent(at)}&coll=${coll}&id=${encodeURIComponent(id)}`)).records[0];
const open = async () => (await server.admin('GET', '/v1/conflicts?limit=200')).conflicts;
const rows = (page) => page.locator('table.data').first().locator('tbody tr');

async function toConflict(page, field, id) {
  const { scope: at, coll, by, n, part } = (await open()).find((each) => each.field === field && each.id === id);
  await goTo(page, `#/conflicts/${[at, coll, id, field, `${by}~${n}${part ? `.${part}` : ''}`].map(encodeURIComponent).join('/')}`);
  await card(page, '落选的').waitFor();
}

describe('lists', () => {
  it('sorts, filters and pages on the server, and the way back leads through what was seen', async () => {
    const { page } = mei;
    await goTo(page, '#/lists/volunteer');
    await page.getByText('共 123 条').first().waitFor();
    assert.equal(await rows(page).count(), 50);
    await button(page, '下一页').click();
    await page.getByText('第 51–100 条，共 123 条').waitFor();
    assert.match(page.url(), /offset=50/);
    await page.goBack();
    await page.getByText('第 1–50 条，共 123 条').waitFor();

    await button(page, '统一志愿者编号').click();
    await page.locator('th[aria-sort="ascending"]', { hasText: '统一志愿者编号' }).waitFor();
    await page.locator('tbody tr', { hasText: personId(0) }).first().waitFor();
    await button(page, '统一志愿者编号').click();
    await rows(page).first().filter({ hasText: personId(119) }).waitFor();

    await page.getByRole('searchbox').fill('方志明');
    await page.getByText('符合 2 条，共 123 条').waitFor();
    await button(page, '清除筛选').click();
    await page.getByText('共 123 条').first().waitFor();
  });

  it('filters by a choice, a day and a field that a link names; an address opens the same again', async () => {
    const { page } = mei;
    await goTo(page, '#/lists/event');
    await page.getByRole('combobox', { name: '状态' }).selectOption('closed');
    await page.getByText('符合 1 条，共 5 条').waitFor();
    const address = page.url();
    await goTo(page, `#/lists/attendance?event=${EVENT.id}&sort=points`);
    await page.getByText('符合 12 条，共 12 条').waitFor();
    await rows(page).first().filter({ hasText: '19' }).waitFor();
    await page.getByLabel('签到时间，从').fill('2031-01-01');
    await page.getByRole('heading', { name: '没有符合的' }).waitFor();
    await page.goto(address);
    await page.getByText('符合 1 条，共 5 条').waitFor();
    await rows(page).first().click();
    await page.getByRole('heading', { name: '非遗剪纸进校园' }).waitFor();
  });
});

describe('at a desk in another zone', () => {
  const day = at(0, 0).slice(0, 10);
  let desk;
  before(async () => {
    desk = await signedInDesk(browser, server, 'limei', { timezoneId: 'America/New_York' });
  });
  after(async () => {
    await desk?.context.close();
    assert.deepEqual(desk?.errors, []);
  });

  it('a day of a filter is the city’s', async () => {
    const { page } = desk;
    await goTo(page, `#/lists/event?starts.from=${day}&starts.to=${day}`);
    // They begin half an hour after the city's midnight.
    await page.getByText('符合 2 条，共 5 条').waitFor();
    await rows(page).filter({ hasText: '进东社区便民服务日' }).getByText(/ 00:30$/).first().waitFor();
  });

  it('a time in a form is shown, typed and kept by the city’s clock', async () => {
    const { page } = desk;
    await goTo(page, record('event', 'e104', 'event:e104'));
    await button(page, '编辑').click();
    assert.match(await page.getByLabel('开始时间').inputValue(), /T00:30$/);
    await page.getByLabel('开始时间').fill(`${day}T08:15`);
    await button(page, '保存').click();
    await card(page, '历史').getByText(`${day} 08:15`).first().waitFor();
    assert.equal((await current('event', 'e104', 'event:e104')).fields.starts, `${day}T08:15:00+08:00`);
  });

  it('the audit log and Today go by it too', async () => {
    const { page } = desk;
    await goTo(page, '#/audit');
    const time = page.locator('table.data time').first();
    await time.waitFor();
    const [iso, shown] = [await time.getAttribute('datetime'), await time.innerText()];
    assert.equal(shown, new Date(Date.parse(iso) + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' '));
    assert.match(await time.getAttribute('title'), /Asia\/Shanghai$/);
    await goTo(page, '#/today');
    await page.getByText(new RegExp(`${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`)).first().waitFor();
  });
});

describe('a list that the server still reads after its start', () => {
  it('says how far it is, and comes by itself', async () => {
    const { page } = mei;
    let answers = 0;
    await page.route('**/v1/lists/station?*', (route) => {
      if (answers++ > 1) return route.continue();
      return route.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'retry-after': '1' }, body: JSON.stringify({ type: 'about:blank', title: '', status: 503, code: 'list.warming', detail: '', done: 0.37 }) });
    });
    await goTo(page, '#/lists/station');
    assert.equal(await page.getByRole('progressbar').getAttribute('value'), '0.37');
    await page.getByRole('row', { name: /火炬暖蜂驿站/ }).waitFor();
    await page.unroute('**/v1/lists/station?*');
  });
});

describe('one record', () => {
  it('shows what belongs to it and who did what, and is edited in its place', async () => {
    const { page } = mei;
    await goTo(page, record('event', 'e102', 'event:e102'));
    await button(page, '编辑').click();
    await page.getByLabel('到场人数').fill('-3');
    await page.getByLabel('负责人').fill('黄敏');
    await button(page, '保存').click();
    await page.getByText('不能小于 0。').waitFor();
    await page.getByLabel('到场人数').fill('18');
    await page.getByLabel('现场记录，补充一条').fill('已清运两车。');
    await button(page, '保存').click();
    const past = card(page, '历史');
    await past.getByText('到场人数改为“18”').waitFor();
    await past.getByText('李梅').first().waitFor();
    const { fields } = await current('event', 'e102', 'event:e102');
    assert.deepEqual([fields.headcount, fields.lead, fields.remarks[0].v], [18, '黄敏', '已清运两车。']);
  });

  it('two who edit at once: the second sees what the first changed beside what is typed, and loses nothing', async () => {
    for (const { page } of [mei, jie]) {
      await goTo(page, record('volunteer', personId(7)));
      await button(page, '编辑').click();
    }
    await mei.page.getByLabel('所属队伍').fill('蓝天救援队二队');
    await mei.page.getByLabel('添加到技能').fill('急救');
    await button(mei.page, '保存').click();
    await card(mei.page, '内容').waitFor();
    await jie.page.getByLabel('所属队伍').fill('轻骑兵直属队');
    await jie.page.getByLabel('添加到技能').fill('驾驶');
    await button(jie.page, '保存').click();
    const changed = jie.page.getByRole('alert').filter({ hasText: '别人刚刚改过' });
    await changed.waitFor();
    assert.match(await changed.innerText(), /蓝天救援队二队[\s\S]*轻骑兵直属队/);
    assert.equal((await current('volunteer', personId(7))).fields.team, '蓝天救援队二队');
    await button(jie.page, '仍按我的保存').click();
    await card(jie.page, '内容').waitFor();
    const { fields } = await current('volunteer', personId(7));
    assert.deepEqual([fields.team, [...fields.skills].sort()], ['轻骑兵直属队', ['急救', '驾驶'].sort()]);
  });

  it('shows its photos', async () => {
    const { page } = mei;
    const bytes = await page.screenshot();
    await photoOf(server, one, EVENT.scope, `event/${EVENT.id}`, 'ph1', bytes, '签到台');
    await photoOf(server, one, EVENT.scope, `event/${EVENT.id}`, 'ph2', bytes, '签到台，再来一张');
    await goTo(page, record('event', EVENT.id));
    const photo = page.getByRole('img', { name: '签到台', exact: true });
    await photo.waitFor();
    assert.equal(await photo.evaluate((image) => image.naturalWidth), DESK.width);
    assert.equal(await card(page, '照片').getByRole('img').count(), 2);
  });

  it('a fact is not edited: a new one corrects it; what is deleted is asked for once more', async () => {
    const { page } = mei;
    await goTo(page, record('visit', 'v1', STATION.scope));
    await button(page, '更正').click();
    await page.getByRole('dialog').getByLabel('同行人数').fill('3');
    await page.getByRole('dialog').getByRole('button', { name: '更正', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await card(page, '内容').getByText('所更正的到访记录编号').waitFor();
    const visits = (await server.admin('GET', `/v1/records?scope=${encodeURIComponent(STATION.scope)}&coll=visit&limit=100`)).records;
    assert.deepEqual(visits.filter(({ fields }) => fields.corrects === 'v1').map(({ fields }) => fields.party_size), [3]);
    await goTo(page, record('note', 'n1'));
    await button(page, '删除').click();
    await page.getByRole('dialog').getByRole('button', { name: '删除', exact: true }).click();
    await page.getByText('以前的内容见历史。').waitFor();
    assert.equal((await current('note', 'n1')).deleted, true);
  });
});

describe('conflicts', () => {
  it('the lost value is taken, and a phone shows it', async () => {
    const phone = await enrolledPhone(browser, server, { role: 'volunteer', name: '门口手机', scopes: [EVENT.scope] });
    await phone.page.evaluate((hash) => (location.hash = hash), `#/event/${scope}/${EVENT.id}`);
    const shown = (await current('event', EVENT.id)).fields.place;
    const lost = shown === '进东小学操场' ? '进东社区文化广场' : '进东小学操场';
    await phone.page.getByText(shown).first().waitFor();
    await goTo(mei.page, '#/conflicts');
    await mei.page.getByRole('row', { name: /地点/ }).click();
    await card(mei.page, '落选的').getByText(lost).waitFor();
    await button(card(mei.page, '落选的'), '改用这个').click();
    await mei.page.getByText('已了结：改用落选的').waitFor();
    await phone.page.getByText(lost).first().waitFor();
    await button(mei.page, '重开').click();
    await phone.page.getByText(shown).first().waitFor();
    await card(mei.page, '落选的').getByText(lost).waitFor();
    assert.deepEqual((await open()).filter(({ field }) => field === 'place').map(({ value }) => value), [lost]);
    await button(mei.page, '保留这个').click();
    await mei.page.getByText('已了结：保留在用的').waitFor();
    await phone.context.close();
  });

  it('a value that met a delete brings the record back, and opened again it is gone again', async () => {
    const key = [EVENT.scope, 'note', 'n-gone'];
    one.edit(...key, { set: { text: '横幅在仓库' } });
    await one.sync();
    await other.sync();
    one.edit(...key, { del: true });
    other.edit(...key, { set: { text: '横幅在车上' } });
    await one.sync();
    await other.sync();
    const { page } = mei;
    await toConflict(page, 'text', 'n-gone');
    await card(page, '在用的').getByText('已删除').waitFor();
    await button(card(page, '落选的'), '改用这个').click();
    await page.getByText('已了结：改用落选的').waitFor();
    assert.equal((await current('note', 'n-gone')).fields.text, '横幅在车上');
    await button(page, '重开').click();
    await page.getByText('已重开，等待过目').waitFor();
    assert.equal((await current('note', 'n-gone')).deleted, true);
    await button(page, '保留这个').click();
    await page.getByText('已了结：保留在用的').waitFor();
    await goTo(page, '#/lists/note?deleted=1');
    await page.getByRole('row', { name: /n-gone/ }).click();
    await button(page, '恢复').click();
    await page.getByLabel('内容').fill('横幅已归还');
    await button(page, '保存').click();
    await card(page, '历史').getByText('内容改为“横幅已归还”').waitFor();
    assert.equal((await current('note', 'n-gone')).fields.text, '横幅已归还');
  });

  it('two administrators at one conflict: the second is told who settled it, and what was typed stays', async () => {
    for (const { page } of [mei, jie]) await toConflict(page, 'headcount', EVENT.id);
    await jie.page.getByLabel('到场人数').fill('41');
    await button(card(mei.page, '落选的'), '改用这个').click();
    await mei.page.getByText('已了结：改用落选的').waitFor();
    await button(jie.page, '写入并了结').click();
    await jie.page.getByText('李梅 刚刚了结了它').waitFor();
    assert.equal(await jie.page.getByLabel('到场人数').inputValue(), '41');
    assert.notEqual((await current('event', EVENT.id)).fields.headcount, 41);
    await button(jie.page, '仍按我的写入').click();
    await jie.page.getByText('已了结：写入了新值').waitFor();
    assert.equal((await current('event', EVENT.id)).fields.headcount, 41);
    await goTo(jie.page, '#/conflicts?settled=1');
    await rows(jie.page).filter({ hasText: '到场人数' }).waitFor();
  });
});

describe('what was refused', () => {
  it('is corrected and handed in again, or dismissed with a reason and taken up again', async () => {
    const { page } = mei;
    await goTo(page, '#/quarantine');
    await page.getByRole('row', { name: /n-long/ }).click();
    await page.getByText('内容改为“饮用水只剩半箱”').waitFor();
    await button(page, '重新提交').click();
    await page.getByText('最多 50 个字。').waitFor();
    await page.getByLabel('作者', { exact: true }).fill('陈静怡');
    await button(page, '重新提交').click();
    await page.getByText('已更正并重新提交').waitFor();
    assert.deepEqual((await current('note', 'n-long')).fields, { text: '饮用水只剩半箱', author: '陈静怡' });

    await goTo(page, '#/quarantine?code=field.limit');
    await page.getByRole('row', { name: /志愿服务活动/ }).click();
    await button(page, '搁置').click();
    await page.getByRole('dialog').getByLabel('理由').fill('录入错误，已另行更正');
    await page.getByRole('dialog').getByRole('button', { name: '搁置', exact: true }).click();
    await page.getByText('录入错误，已另行更正').waitFor();
    await button(page, '重新处理').click();
    await page.getByLabel('以 JSON 编辑').check();
    await page.getByLabel('操作内容').fill('{"set":{"headcount":"many"}');
    await button(page, '重新提交').click();
    await page.getByRole('alert').filter({ hasText: '不是有效的操作' }).waitFor();
    await page.getByLabel('操作内容').fill('{"set":{"headcount":true}}');
    await button(page, '重新提交').click();
    await page.getByRole('alert').filter({ hasText: 'headcount' }).waitFor();
    await page.getByLabel('操作内容').fill('{"set":{"headcount":39}}');
    await button(page, '重新提交').click();
    await page.getByText('已更正并重新提交').waitFor();
  });
});

describe('people', () => {
  it('two are merged into one, and the merge is undone', async () => {
    const { page } = mei;
    await goTo(page, '#/duplicates');
    await page.getByRole('row', { name: /方志明/ }).click();
    await page.getByRole('radio').nth(1).check();
    await button(page, '合并').click();
    await page.getByText('已合并为一个人').waitFor();
    assert.equal((await current('volunteer', 'w1')).fields.merged_into, 'w2');
    assert.equal((await current('duplicate', 'w1~w2')).fields.state, 'merged');
    await goTo(page, record('volunteer', 'w1'));
    await page.getByText('已并入').first().waitFor();
    await page.getByRole('link', { name: '查看两条' }).click();
    await button(page, '撤销合并').click();
    await button(page, '合并').waitFor();
    assert.deepEqual([(await current('volunteer', 'w1')).fields.merged_into, (await current('duplicate', 'w1~w2')).fields.state], [undefined, 'open']);
    await button(page, '不是同一个人').click();
    await page.getByText('已确认是两个人').waitFor();
  });

  it('who is no administrator edits and settles all the same, and is not offered to erase', async () => {
    await account(server, 'huangmin', '黄敏', 'office');
    const { page, errors, context } = await signedInDesk(browser, server, 'huangmin');
    await goTo(page, record('volunteer', 'w2'));
    await button(page, '编辑').click();
    await page.getByLabel('手机号后四位').fill('8822');
    await button(page, '保存').click();
    await card(page, '历史').getByText('黄敏').waitFor();
    assert.equal(await button(page, '删除个人信息').count(), 0);
    assert.equal((await current('volunteer', 'w2')).fields.phone_tail, '8822');
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('somebody erased is found in no list, no history and no page', async () => {
    const { page } = mei;
    const secrets = [PERSON.name, PERSON.tail, PERSON.note];
    await goTo(page, record('volunteer', PERSON.id));
    await card(page, '历史').getByText(PERSON.note).first().waitFor();
    await button(page, '删除个人信息').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(`请输入“${PERSON.name}”以确认`).fill(PERSON.name);
    await button(dialog, '永久删除').click();
    await card(page, '删除结果').getByText('个人信息已永久删除').waitFor();
    await card(page, '历史').getByText('姓名：已永久删除，不可读').waitFor();

    const { rows: refused } = await listOf('refused');
    const about = refused.filter(({ fields }) => fields.record === PERSON.id).map(({ id }) => `#/quarantine/${encodeURIComponent(id)}`);
    assert.equal(about.length, 1);
    const places = [record('volunteer', PERSON.id), record('attendance', `${EVENT.id}~${PERSON.id}`), record('event', EVENT.id), `#/lists/volunteer?q=${PERSON.id}`, '#/lists/volunteer?sort=-seq', '#/lists/attendance',
                    '#/lists/refused', '#/lists/duplicate', '#/conflicts', '#/conflicts?settled=1', '#/quarantine', ...about, '#/duplicates', '#/audit'];
    for (const place of places) {
      await goTo(page, place);
      await settled(page);
      const text = await page.locator('main').innerText();
      for (const secret of secrets) assert.ok(!text.includes(secret), `${place} shows ${secret}`);
    }
    for (const secret of secrets.slice(0, 2)) {
      await goTo(page, `#/lists/volunteer?q=${encodeURIComponent(secret)}`);
      await page.getByRole('heading', { name: '没有符合的' }).waitFor();
    }
  });

  async function listOf(coll) {
    return page_json(mei.page, `/v1/lists/${coll}?limit=200`);
  }
});

function page_json(page, path) {
  return page.evaluate(async (from) => (await fetch(from)).json(), path);
}

/** What the page is for is on show. */
function read(page) {
  return page.waitForFunction(() => document.querySelector('main .waiting') === null);
}

/** Nothing is on its way any more: names of what is mentioned have come too. */
async function settled(page) {
  await page.waitForLoadState('networkidle');
  await read(page);
}

describe('every page', () => {
  async function places() {
    await apart(one, other, [EVENT.scope, 'volunteer', personId(9)], [{ team: '甲队' }, { team: '乙队' }]);
    const { by, n } = (await open()).find(({ id }) => id === personId(9));
    const { rows: [first] } = await page_json(mei.page, '/v1/lists/refused?state=open');
    return ['#/lists', '#/lists/event', '#/lists/volunteer?q=nobody', record('event', EVENT.id), record('volunteer', 'w1'), record('note', 'n1'), '#/conflicts', `#/conflicts/${scope}/volunteer/${personId(9)}/team/${by}~${n}`,
            '#/quarantine', `#/quarantine/${encodeURIComponent(first.id)}`, '#/duplicates', `#/duplicates/${scope}/w1?other=w2`, `#/duplicates/${scope}/w1`];
  }

  it('has no barrier that axe finds, in both languages, wide and narrow, light and dark', async () => {
    const found = [];
    const all = await places();
    const looks = [[mei.page, DESK, 'zh', 'light'], [jie.page, NARROW, 'en', 'dark']];
    await Promise.all(looks.map(async ([page, viewport, lang, colorScheme]) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.evaluate((wanted) => localStorage.setItem('waystation.lang', wanted), lang);
      await page.reload();
      for (const place of all) {
        await goTo(page, place);
        await read(page);
        found.push(...(await findings(page, `${lang} ${place}`)));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) found.push(`${lang} ${place}: wider than the screen: ${width}`);
      }
      await goTo(page, record('event', EVENT.id));
      await page.getByRole('button', { name: /^(编辑|Edit)$/ }).click();
      found.push(...(await findings(page, `${lang} the form`)));
    }));
    assert.deepEqual(found, []);
  });
});
