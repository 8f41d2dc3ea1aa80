// What stands on the office's pages only while somebody is at work: dialogs, a sheet of slips on paper, lists with
// nothing in them, forms with something wrong in them, reports, an erasure. axe-core finds nothing in any of it: in
// both languages, wide and narrow, light and dark.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { findings } from './barriers.mjs';
import { at, buildCity, EVENT, personId, STATION } from './city.mjs';
import { account, authenticatorCode, DESK, firstAdministrator, NARROW, openDesk, PASSWORD, signedInDesk, signIn } from './office_desk.mjs';
import { apart, PERSON, trouble } from './office_trouble.mjs';
import { browserFor } from './phone.mjs';
import { printed, quietOf } from './traces.mjs';

// State by state the next: what Chinese shows wide and light, English shows narrow and dark at the same time.
const LOOKS = {
  zh: [[DESK, 'light'], [NARROW, 'dark'], [DESK, 'dark'], [NARROW, 'light']],
  en: [[NARROW, 'dark'], [DESK, 'light'], [NARROW, 'light'], [DESK, 'dark']],
};
const scope = encodeURIComponent(EVENT.scope);
const record = (coll, id, where = EVENT.scope) => `#/records/${encodeURIComponent(where)}/${coll}/${encodeURIComponent(id)}`;
const conflictHref = ({ scope: where, coll, id, field, by, n }) => `#/conflicts/${[where, coll, id, field, `${by}~${n}`].map(encodeURIComponent).join('/')}`;
const period = `from=${at(-3, 0).slice(0, 10)}&to=${at(0, 0).slice(0, 10)}`;

let server, browser, desks;
before(async () => {
  server = await startServer();
  await firstAdministrator(server);
  for (const lang of ['zh', 'en']) await account(server, `axe-${lang}`, `Axe ${lang}`, 'administrator');
  browser = await browserFor();
  desks = await Promise.all(['zh', 'en'].map(deskFor));
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

async function deskFor(lang) {
  const desk = await signedInDesk(browser, server, `axe-${lang}`, { lang });
  return { ...desk, lang, looks: [...LOOKS[lang]], quiet: quietOf(desk.page), said: (zh, en) => (lang === 'zh' ? zh : en) };
}

/** Axe and the width of the page, in the look of a desk whose turn it is. */
async function look({ page, lang, looks }, name) {
  const [viewport, colorScheme] = looks[0];
  looks.push(looks.shift());
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  const where = `${lang}, ${viewport.width}, ${colorScheme}: ${name}`;
  const found = await findings(page, where);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > viewport.width) found.push(`${where}: wider than the screen: ${width}`);
  return found;
}

/** A page anew, also where it is the one on show. */
async function open({ page, quiet }, place) {
  await page.evaluate(() => (location.hash = '#/nowhere'));
  await page.locator('.empty').waitFor();
  await page.evaluate((next) => (location.hash = next), place);
  await page.locator('.page-head h1, .wall').first().waitFor();
  await quiet();
}

/** At both desks at once, state by state: [name, place, what makes it (or what has to be there)]. */
async function nothingIn(states) {
  const found = await Promise.all(desks.map(async (desk) => {
    const all = [];
    for (const [name, place, make] of states) {
      await open(desk, place).catch((error) => { throw new Error(`${desk.lang} ${name}: ${error}`); });
      try {
        if (typeof make === 'string') await desk.page.locator(make).first().waitFor();
        else await make(desk);
      } catch (error) {
        throw new Error(`${desk.lang}, ${name}: ${error}`);
      }
      all.push(...(await look(desk, name)));
    }
    return all;
  }));
  assert.deepEqual(found.flat(), []);
}

/** Nobody walks through a sheet of paper by its headings. */
const onPaper = (found) => found.filter((finding) => !finding.includes('page-has-heading-one'));

const press = (within, name) => within.getByRole('button', { name, exact: true }).click();
const asks = (zh, en) => async ({ page, said }) => {
  await press(page, said(zh, en));
  await page.getByRole('dialog').waitFor();
};

describe('before anything has happened', () => {
  it('lists with nothing in them, a day without visits, an empty report', async () => {
    await nothingIn([
      ['today', '#/today', '[data-figure="visits"]'], ['the wall', '#/wall', '.wall'], ['people', '#/lists/volunteer', '.empty'], ['events', '#/lists/event', '.empty'], ['conflicts', '#/conflicts', '.empty'],
      ['settled conflicts', '#/conflicts?settled=1', '.empty'], ['refused', '#/quarantine', '.empty'], ['alike', '#/duplicates', '.empty'], ['devices', '#/devices', '.empty'], ['codes', '#/devices/codes', '.empty'],
      ['a report', '#/reports/visits', '.empty'], ['the audit log', '#/audit?q=nothing-like-it', '.empty'],
    ]);
  });
});

describe('in a city at work', () => {
  let device, refused, conflicts;
  before(async () => {
    await buildCity(server, { people: 8 });
    const { one, other } = await trouble(server);
    await apart(one, other, [EVENT.scope, 'event', 'e101'], [{ lead: '甲' }, { lead: '乙' }]);
    one.edit(EVENT.scope, 'note', 'n-gone', { set: { text: '横幅在仓库' } });
    await one.sync();
    one.edit(EVENT.scope, 'note', 'n-gone', { del: true });
    await one.sync();
    device = one.id;
    await server.createCode([STATION.scope], { role: 'station', name: '火炬路平板' });
    conflicts = (await server.admin('GET', '/v1/conflicts?limit=200')).conflicts.filter(({ coll }) => coll === 'event').map(conflictHref);
    await server.admin('GET', '/v1/lists/refused?limit=1').catch(() => {});
    const { quarantine } = await server.admin('GET', '/v1/quarantine?limit=200');
    refused = quarantine.map(({ device: by, n }) => `#/quarantine/${encodeURIComponent(`${by}~${n}`)}`);
    const merged = await printed('duplicates', 'merge', EVENT.scope, 'w1', 'w2', '--data', server.data, '--server', new URL(server.url).host);
    assert.equal(merged.code, 0, merged.text);
  });

  it('devices: each decision’s dialog, a code on the screen, a form with something missing', async () => {
    const at = `#/devices/${device}`;
    await nothingIn([
      ['move', at, asks('调整', 'Move')], ['replace', at, asks('换机', 'Replace')], ['shut out', at, asks('停用', 'Shut out')], ['wipe', at, asks('清除', 'Wipe')],
      ['codes', '#/devices/codes', 'table.data'], ['withdraw', '#/devices/codes', asks('撤回 火炬路平板', 'Withdraw 火炬路平板')],
      ['enrol, without a scope', '#/devices/new', async ({ page, said }) => {
        await press(page, said('生成登记码', 'Make the code'));
        await page.getByText(said('请至少选择一个范围。', /at least one scope/i)).waitFor();
      }],
      ['a code', '#/devices/new', async ({ page, said }) => {
        await page.getByLabel(said('全部范围', 'All scopes')).check();
        await press(page, said('生成登记码', 'Make the code'));
        await page.locator('.code-card svg, .code-card img').first().waitFor();
      }],
    ]);
  });

  it('a sheet of slips, on the screen and on paper', async () => {
    await nothingIn([['the sheet', '#/devices/sheet', async ({ page, said }) => {
      await page.locator('form textarea').fill('陈伟的手机\n林静怡的手机');
      await page.getByLabel(said('全部范围', 'All scopes')).check();
      await press(page, said('生成 2 个登记码', 'Make 2 codes'));
      await page.locator('.slip').nth(1).waitFor();
    }]]);
    const found = await Promise.all(desks.map(async ({ page, lang }) => {
      await page.emulateMedia({ media: 'print', colorScheme: 'light' });
      const paper = onPaper(await findings(page, `${lang}: the sheet on paper`));
      await page.emulateMedia({ media: null });
      return paper;
    }));
    assert.deepEqual(found.flat(), []);
  });

  it('accounts: one that is changed, reset, added with its link', async () => {
    await nothingIn([
      ['one', '#/accounts?open=limei', 'dialog'],
      ['reset', '#/accounts?open=limei', async ({ page, said }) => {
        await press(page.getByRole('dialog'), said('重置', 'Reset'));
        await page.getByRole('dialog').nth(1).waitFor();
      }],
      ['a link', '#/accounts?add=1', async ({ page, said, lang }) => {
        const dialog = page.getByRole('dialog');
        await dialog.locator('input').nth(0).fill('陈杰');
        await dialog.locator('input').nth(1).fill(`chenjie-${lang}`);
        await press(dialog, said('添加并生成链接', 'Add and make a link'));
        await page.locator('.link-box').waitFor();
      }],
    ]);
  });

  it('records: dialogs, a form with something wrong, one that is deleted, one that was merged', async () => {
    const event = record('event', EVENT.id);
    await nothingIn([
      ['delete', event, asks('删除', 'Delete')], ['correct', record('visit', 'v1', STATION.scope), asks('更正', 'Correct')], ['erase', record('volunteer', PERSON.id), asks('删除个人信息', 'Erase personal data')],
      ['wrong', event, async ({ page, said }) => {
        await press(page, said('编辑', 'Edit'));
        await page.getByLabel(said('到场人数', 'Headcount')).fill('-3');
        await press(page, said('保存', 'Save'));
        await page.locator('.wrong, [aria-invalid=true]').first().waitFor();
      }],
      ['deleted', record('note', 'n-gone'), '.page-head'], ['merged', record('volunteer', 'w1'), '.banner'], ['two of whom one stays', `#/duplicates/${scope}/w1?other=w2`, '.banner'],
      ['people on a list', '#/lists/volunteer', 'table.data'],
    ]);
  });

  it('conflicts and refused edits: settled, wrong, as JSON, dismissed', async () => {
    await nothingIn([
      ['a third value that is none', conflicts.find((href) => href.includes('headcount')), async ({ page, said }) => {
        await page.locator('form.third input').fill('-1');
        await press(page, said('写入并了结', 'Write and settle'));
        await page.locator('form.third [aria-invalid=true], form.third .wrong').first().waitFor();
      }],
      ['refused', refused[0], '.page-head'], ['dismiss', refused[0], asks('搁置', 'Dismiss')],
      ['as JSON, wrong', refused[0], async ({ page, said }) => {
        await page.getByLabel(said('以 JSON 编辑', 'Edit as JSON')).check();
        await page.locator('textarea').last().fill('{');
        await press(page, said('重新提交', 'Replay'));
        await page.getByRole('alert').first().waitFor();
      }],
    ]);
    // One behind the other: both are of one record.
    for (const [i, desk] of desks.entries()) {
      await open(desk, conflicts.filter((href) => !href.includes('headcount'))[i]);
      await press(desk.page, desk.said('保留这个', 'Keep this'));
      await desk.page.getByText(desk.said('已了结', 'Settled'), { exact: true }).first().waitFor();
      assert.deepEqual(await look(desk, 'a conflict that has just been settled'), []);
    }
    await nothingIn([['settled conflicts', '#/conflicts?settled=1', 'table.data']]);
  });

  it('reports: a chart, one without, a filter, on paper; the wall and the day', async () => {
    await nothingIn([
      ['with a chart', `#/reports/visits?by=day,visitor&visitor=courier&${period}`, '.chart canvas'], ['ranked', `#/reports/hours?by=person&${period}`, '.chart canvas'], ['in detail', `#/reports/attendance?${period}`, 'table.report'],
      ['without one', `#/reports/hours?by=day&measures=people&measure=people&${period}`, '.chart-card'], ['today', '#/today', '[data-figure="visits"]'], ['the wall', '#/wall', '.wall'],
    ]);
    const found = await Promise.all(desks.map(async (desk) => {
      await open(desk, `#/reports/hours?by=event&${period}`);
      await desk.page.locator('table.report').waitFor();
      await desk.page.emulateMedia({ media: 'print', colorScheme: 'light' });
      const paper = onPaper(await findings(desk.page, `${desk.lang}: a report on paper`));
      await desk.page.emulateMedia({ media: null });
      return paper;
    }));
    assert.deepEqual(found.flat(), []);
  });

  it('somebody who has been erased: what it came to, and the record as it stays', async () => {
    const found = await Promise.all(desks.map(async (desk, i) => {
      const { page, said } = desk;
      await open(desk, record('volunteer', [PERSON.id, personId(4)][i]));
      await press(page, said('删除个人信息', 'Erase personal data'));
      const dialog = page.getByRole('dialog');
      await dialog.locator('input').fill(await dialog.locator('label').filter({ hasText: /[“”]/ }).first().innerText().then((text) => /“(.+)”/.exec(text)[1]));
      await press(dialog, said('永久删除', 'Erase for ever'));
      await page.locator('.erase-report').waitFor();
      return look(desk, 'the report of an erasure');
    }));
    assert.deepEqual(found.flat(), []);
  });

  it('pages that had been looked at in two looks, in two others', async () => {
    const other = { zh: [[NARROW, 'light']], en: [[DESK, 'dark']] };
    const found = await Promise.all(desks.map(async (desk) => {
      const all = [];
      for (const place of ['#/devices', `#/devices/${device}`, '#/accounts', `#/access?device=${device}&scope=${scope}&coll=volunteer&id=${personId(0)}`, '#/policy', '#/audit', '#/me', '#/lists', record('event', EVENT.id), record('volunteer', personId(1)), '#/quarantine', '#/duplicates', '#/reports']) {
        await open(desk, place);
        all.push(...(await look({ ...desk, looks: other[desk.lang] }, place)));
      }
      return all;
    }));
    assert.deepEqual(found.flat(), []);
  });
});

describe('around an account', () => {
  it('its link, a wrong password, a second factor, a session that ended, the server away', async () => {
    const found = await Promise.all(desks.map(async (desk) => {
      const { page, context, said, lang, looks } = desk;
      const all = [];
      const { secret } = await server.admin('POST', '/v1/office/accounts', { name: `new-${lang}`, display: '新人', role: 'office' });
      const stranger = await openDesk(browser, server, { lang, path: `/office/setup#${secret}` });
      const bare = { page: stranger.page, lang, looks };
      await stranger.page.locator('form').waitFor();
      await press(stranger.page, said('设置密码', 'Set the password'));
      all.push(...(await look(bare, 'a link')));
      await stranger.page.goto(`${server.url}/office/`);
      await signIn(stranger.page, `axe-${lang}`, 'not the password at all');
      await stranger.page.getByText(said('用户名、密码或验证码不对。', 'User name, password or code do not match.')).waitFor();
      all.push(...(await look(bare, 'a wrong password')));
      await stranger.context.close();

      await page.setViewportSize(NARROW);
      await open(desk, '#/me');
      await press(page, said('菜单', 'Menu'));
      all.push(...(await findings(page, `${lang}: the menu`)));
      await press(page, said('菜单', 'Menu'));
      const factor = page.locator('form', { has: page.getByRole('button', { name: said('开启', 'Set it up'), exact: true }) });
      await factor.locator('input[type=password]').fill(PASSWORD);
      await press(factor, said('开启', 'Set it up'));
      await page.locator('.secret').waitFor();
      all.push(...(await look(desk, 'a second factor')));
      const key = (await page.locator('.secret').innerText()).replaceAll(' ', '');
      await page.getByRole('textbox', { name: said('验证码', 'Code'), exact: true }).fill(authenticatorCode(key));
      await press(page, said('确认开启', 'Confirm'));
      await page.locator('.recovery').waitFor();
      all.push(...(await look(desk, 'recovery codes')));

      await open(desk, '#/devices');
      await context.setOffline(true);
      await page.getByRole('searchbox').first().fill('x');
      await page.getByText(said('联系不上服务器，正在重试', 'The server is away, trying again')).waitFor();
      all.push(...(await look(desk, 'the server is away')));
      await context.setOffline(false);
      await page.getByText(said('联系不上服务器，正在重试', 'The server is away, trying again')).waitFor({ state: 'detached' });
      await context.clearCookies();
      await page.evaluate(() => (location.hash = '#/accounts'));
      await page.getByRole('dialog').waitFor();
      all.push(...(await look(desk, 'a session that ended')));
      assert.deepEqual(desk.errors, []);
      return all;
    }));
    assert.deepEqual(found.flat(), []);
  });
});
