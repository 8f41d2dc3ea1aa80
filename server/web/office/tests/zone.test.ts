// Days and times of the city, wherever the screen stands.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { dayBounds, localTime, zonedTime } from '../drafts';
import { cityDay, cityInstant, cityMoment, tellZone } from '../zone';

afterEach(() => tellZone(''));

describe('times of the city', () => {
  for (const [zone, offset] of [['Asia/Shanghai', '+08:00'], ['+08:00', '+08:00'], ['-03:30', '-03:30'], ['UTC', '+00:00']] as const) {
    it(`are shown and typed in ${zone}, whatever the zone of the screen`, () => {
      tellZone(zone);
      assert.equal(zonedTime('2026-01-31T08:30'), `2026-01-31T08:30:00${offset}`);
      assert.equal(zonedTime('2026-01-31T08:30:05'), `2026-01-31T08:30:05${offset}`);
      assert.equal(localTime(`2026-01-31T23:59:59${offset}`), '2026-01-31T23:59:59');
      assert.equal(cityDay(Date.parse(`2026-01-31T23:59:59${offset}`)), '2026-01-31');
      assert.equal(cityMoment(Date.parse(`2026-02-01T00:00:00${offset}`)), '2026-02-01 00:00:00');
    });

    it(`a day begins and ends at midnight of ${zone}`, () => {
      tellZone(zone);
      assert.deepEqual(dayBounds('2026-01-31'), [Date.parse(`2026-01-31T00:00:00${offset}`), Date.parse(`2026-01-31T23:59:59.999${offset}`)]);
      assert.equal(dayBounds('2024-02-28')[1] + 1, Date.parse(`2024-02-29T00:00:00${offset}`));
    });
  }

  it('go by the offset of their day where clocks are changed', () => {
    tellZone('America/New_York');
    assert.equal(zonedTime('2026-07-01T08:30'), '2026-07-01T08:30:00-04:00');
    assert.equal(zonedTime('2026-03-08T03:00'), '2026-03-08T03:00:00-04:00');
    assert.equal(zonedTime('2026-03-08T01:59'), '2026-03-08T01:59:00-05:00');
    assert.deepEqual(dayBounds('2026-11-01').map((ms) => new Date(ms).toISOString()), ['2026-11-01T04:00:00.000Z', '2026-11-02T04:59:59.999Z']);
  });

  it('what is no time gives none', () => {
    assert.ok(Number.isNaN(cityInstant('')));
    assert.ok(Number.isNaN(cityInstant('soon')));
  });
});
