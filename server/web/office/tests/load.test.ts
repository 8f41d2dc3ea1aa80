// When a page that could not read reads again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../api';
import { againAfter } from '../load';

test('what follows goes on after any error, not before its own time', () => {
  assert.equal(againAfter(new ApiError('internal', 0, ''), 15_000), 15_000);
  assert.equal(againAfter(new ApiError('http.not_found', 404, ''), 15_000), 15_000);
  assert.ok((againAfter(new ApiError('internal', 500, ''), () => 1_500) ?? 0) >= 10_000);
});

test('what is read once is not read again by itself', () => {
  assert.equal(againAfter(new ApiError('internal', 500, ''), undefined), null);
});

test('a server that is busy says when', () => {
  assert.equal(againAfter(new ApiError('list.warming', 503, '', {}, 3_000), undefined), 3_000);
});
