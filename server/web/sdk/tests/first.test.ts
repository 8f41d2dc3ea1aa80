import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScopes, enrolledPhone, live, note, stopPhones, text, until } from './fixtures';
import { serverForFile } from './server';

const server = await serverForFile();

test('what one phone writes another shows', async (t) => {
  t.after(stopPhones);
  const office = await createScopes(server, 'e1');
  const other = await enrolledPhone(server, ['e1']);
  await live(other.device);
  await live(office.device);
  const edit = office.device.edit(note('e1', 'n1'), text('水不够'));
  assert.equal(office.device.view(note('e1', 'n1'))?.fields.text, '水不够');
  await edit;
  await until(other.device, () => other.device.view(note('e1', 'n1'))?.fields.text === '水不够');
  assert.equal(other.device.status().applied, 0);
  await until(office.device, () => office.device.status().waiting === 0);
});
