// Addresses of the office: what they say comes back, whatever stands in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlace, placeText } from '../router';

test('a place comes back from its address', () => {
  const text = placeText('records', ['station:s012', 'visit', 'a/b~c'], { tab: 'history', empty: '', none: undefined });
  assert.equal(text, '#/records/station%3As012/visit/a%2Fb~c?tab=history');
  const { page, parts, query } = parsePlace(text);
  assert.deepEqual([page, parts, query.get('tab')], ['records', ['station:s012', 'visit', 'a/b~c'], 'history']);
});

test('a filter may hold a question mark, and a broken address leads to the first page', () => {
  assert.equal(parsePlace('#/lists/event?q=who?').query.get('q'), 'who?');
  assert.deepEqual(parsePlace('#/%E0%A4%A').parts, []);
  assert.equal(parsePlace('').page, '');
});
