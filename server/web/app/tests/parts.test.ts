// The parts that need no browser: what QR codes say, where routes lead, what counts at a station.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnroll, parsePerson, personText } from '../qr_texts';
import { parseRoute, routeText, type Route } from '../router';
import { initialsOf, loadInitials, matches } from '../search';

test('an enrolment code is read from a QR code, or as people type it', () => {
  assert.deepEqual(parseEnroll('waystation:enroll?code=7K3M9QX2PA&server=https%3A%2F%2Fsync.example.org'), { code: '7K3M9QX2PA', server: 'https://sync.example.org' });
  assert.deepEqual(parseEnroll('waystation:enroll?code=7K3M9QX2PA'), { code: '7K3M9QX2PA', server: null });
  assert.deepEqual(parseEnroll(' 7k3m9-qx2pa '), { code: '7K3M9QX2PA', server: null });
  assert.equal(parseEnroll('waystation:enroll?code=7K3M9QX2PA&server=javascript:alert(1)')?.server, null);
  assert.equal(parseEnroll('https://example.org'), null);
  assert.equal(parseEnroll(''), null);
});

test('a person’s code comes back as it was made, and nothing else is taken for one', () => {
  assert.equal(parsePerson(personText('445210001')), '445210001');
  assert.equal(parsePerson('waystation:person?id=a~b'), null);
  assert.equal(parsePerson('waystation:person'), null);
  assert.equal(parsePerson('445210001'), null);
});

test('a route comes back from its address', () => {
  const routes: Route[] = [{ page: 'home' }, { page: 'sync' }, { page: 'event', scope: 'event:e/1', id: 'e1' }, { page: 'gifts', scope: 'station:s012' }, { page: 'enroll', code: 'AB-1' }];
  for (const route of routes) assert.deepEqual(parseRoute(routeText(route)), route);
  assert.deepEqual(parseRoute('#/nowhere'), { page: 'home' });
  assert.deepEqual(parseRoute('#/event/%E0%A4%A'), { page: 'home' });
});

test('a person is found by name, number and initials', async () => {
  await loadInitials();
  assert.deepEqual(initialsOf('陈静怡'), ['cjy']);
  assert.deepEqual(initialsOf('单伟').sort(), ['dw', 'sw']);
  const person = { name: '曾静怡', number: '445210032' };
  for (const query of ['静怡', '210032', 'zjy', 'ZJ', 'jy', ' 曾 ']) assert.ok(matches(person, query), query);
  for (const query of ['陈', 'cy', '9999']) assert.ok(!matches(person, query), query);
});
