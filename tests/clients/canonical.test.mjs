import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScopeDigest, canonical, digestOf } from './canonical.mjs';

test('canonical JSON: the example of RFC 8785, 3.2.2', () => {
  const value = JSON.parse('{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
    '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}');
  assert.equal(canonical(value), '{"literals":[null,true,false],' +
    '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
});

test('canonical JSON: keys in the order of UTF-16 code units, RFC 8785, 3.2.3', () => {
  const value = JSON.parse('{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}');
  assert.equal(canonical(value), '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
});

test('canonical JSON: keys that are special to JavaScript', () => {
  assert.equal(canonical(JSON.parse('{"b":1,"__proto__":{"10":1,"9":2},"a":-0}')), '{"__proto__":{"10":1,"9":2},"a":0,"b":1}');
});

test('canonical JSON: what is not JSON is refused', () => {
  for (const value of [NaN, Infinity, undefined, '\ud800', { '\udc00': 1 }, [undefined], () => 1]) {
    assert.throws(() => canonical(value), TypeError);
  }
});

const RECORDS = ['a', 'b', 'c'].map((id) => ({ scope: 's', coll: 'note', id, seq: 1, fields: { text: id } }));

test('digest: nothing has the sum nought, and order does not matter', () => {
  assert.equal(digestOf([]), '0'.repeat(64));
  assert.equal(digestOf(RECORDS), digestOf([...RECORDS].reverse()));
  assert.notEqual(digestOf(RECORDS), digestOf(RECORDS.slice(1)));
});

test('digest: deleted records, seq and conflicts are not in it', () => {
  const gone = { scope: 's', coll: 'note', id: 'd', seq: 2, deleted: true };
  const others = RECORDS.map((record) => ({ ...record, seq: 99, conflicts: 1 }));
  assert.equal(digestOf([...others, gone]), digestOf(RECORDS));
});

test('digest: kept up to date by taking away the old and adding the new', () => {
  const digest = new ScopeDigest(digestOf(RECORDS));
  const changed = { ...RECORDS[1], fields: { text: 'changed' } };
  digest.subtract(RECORDS[1]).add(changed);
  assert.equal(digest.toString(), digestOf([RECORDS[0], changed, RECORDS[2]]));
});
