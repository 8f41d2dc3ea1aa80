// What a form makes of a record, what a list asks for, and the edits that settle, merge and replay.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conflictAt, conflictHref, reopenEdits, settleEdit } from '../conflicts';
import { draftOf, editableFields, editsOf, localTime, wrongsOf, zonedTime } from '../drafts';
import { ApiError } from '../api';
import { mergedFrom, mergeEdits, mergeExpects, readTwo, undoEdits, type Two } from '../duplicates';
import { timeOfSeq } from '../edits';
import { dayField, filledColumns, firstSort, hasOwnScope, headTitle, otherFilters } from '../lists';
import { opLines } from '../op_text';
import { changedRows, rebased } from '../pages/edit';
import { editsOfLines, linesOf, parseEdits, readRefused, refusedName, replayEdit } from '../refused';
import { parsePlace } from '../router';
import type { Conflict, RecordRow } from '../types';

const EVENT = { title: '便民服务日', headcount: 40, starts: '2026-01-01T08:30:00+08:00', state: 'open', remarks: [{ at: 1, by: 'A', v: '来了' }] };

describe('a form', () => {
  it('that nobody has typed into makes no edit', () => {
    assert.equal(editsOf('event', EVENT, draftOf('event', EVENT)), null);
  });

  it('hands in what is different: numbers as numbers, null for what was cleared, one entry for a log', () => {
    const draft = { ...draftOf('event', EVENT), headcount: '41', title: '', remarks: '走了' };
    assert.deepEqual(editsOf('event', EVENT, draft), { set: { title: null, headcount: 41 }, append: { remarks: ['走了'] } });
  });

  it('of a set hands in what came and what went', () => {
    const fields = { services: ['rest', 'water'] };
    assert.deepEqual(editsOf('station', fields, { services: ['water', 'wifi'] }), { add: { services: ['wifi'] }, remove: { services: ['rest'] } });
  });

  it('of a counter hands in the change', () => {
    assert.deepEqual(editsOf('station_day', { courier: 12 }, { courier: '-2', water: '' }), { inc: { courier: -2 } });
  });

  it('keeps an instant that it shows in another zone', () => {
    assert.equal(Date.parse(zonedTime(localTime(EVENT.starts))), Date.parse(EVENT.starts));
  });

  it('says what the server would refuse', () => {
    assert.deepEqual(Object.keys(wrongsOf('event', { headcount: '-1', title: '长'.repeat(201), place: '' })), ['headcount', 'title']);
    assert.equal(wrongsOf('event', { headcount: '1.5' }).headcount?.key, 'wrong.number');
  });

  it('offers of a fact what may be added, and of others all but the key, the server\'s and redirects', () => {
    assert.deepEqual(editableFields('visit'), ['remarks']);
    for (const name of ['event', 'volunteer', 'closed_at']) assert.ok(!editableFields('attendance').includes(name), name);
    assert.ok(!editableFields('volunteer').includes('merged_into'));
  });

  it('on what somebody else has written keeps what was typed, and takes theirs where nothing was', () => {
    const was = { team: 'A', skills: ['驾驶'], name: '陈伟' };
    const now = { team: 'B', skills: ['驾驶', '急救'], name: '陈玮' };
    const typed = { team: 'C', skills: ['摄影'], name: '陈伟' };
    assert.deepEqual(rebased('volunteer', typed, was, now), { team: 'C', skills: ['急救', '摄影'], name: '陈玮' });
    assert.deepEqual(changedRows('volunteer', was, now, typed).map(({ before, after, mine }) => [before, after, mine])[0], ['A', 'B', 'C']);
  });
});

describe('a list', () => {
  it('begins with what names a record, and leaves out what no row holds', () => {
    const rows = [{ scope: 's', coll: 'event', id: 'e', seq: 1, fields: { title: 'x', state: 'open' } }];
    assert.deepEqual(filledColumns('event', rows), ['title', 'state']);
    assert.equal(filledColumns('attendance', [])[0], 'event');
  });

  it('is sorted by its day, its name, or what changed last', () => {
    assert.deepEqual([firstSort('event'), firstSort('volunteer'), firstSort('visit')], ['-starts', 'name', '-seq']);
    assert.equal(dayField('station_day'), 'day');
  });

  it('shows filters that its row does not offer', () => {
    assert.deepEqual(otherFilters('attendance', new URLSearchParams('event=e1&sort=points&signed_in.from=2026-01-01&q=x')), [['event', 'e1']]);
    assert.equal(headTitle('attendance', 'event'), '志愿服务活动');
  });

  it('knows a scope that says nothing new', () => {
    assert.deepEqual([hasOwnScope({ scope: 'event:e1', coll: 'event', id: 'e1' }), hasOwnScope({ scope: '445202', coll: 'event', id: 'e1' })], [true, false]);
  });
});

const CONFLICT: Conflict = {
  scope: 't', coll: 'note', id: 'n1', seq: 90, field: 'text', merge: 'register', kind: 'concurrent', state: 'open', value: 'C', part: 0,
  lost: { by: 'Q', name: '平板一', n: 5 }, winner: { value: 'B', by: 'P', name: '平板二', n: 9, saw: { record: 'live', value: 'A' } },
};
const KEY = { scope: 't', coll: 'note', id: 'n1' };
const LOST = [{ field: 'text', by: 'Q', n: 5, part: 0 }];

describe('a conflict', () => {
  it('comes back from its address', () => {
    const name = { scope: '4452/a', coll: 'note', id: 'n~1', field: 'tags', by: 'Q', n: 5, part: 2 };
    assert.deepEqual(conflictAt(parsePlace(conflictHref(name)).parts), name);
    assert.equal(conflictAt(['t', 'note', 'n1', 'text', 'Q']), null);
  });

  it('is settled and written in one edit, against what was seen', () => {
    assert.deepEqual(settleEdit(CONFLICT), { ...KEY, if_seq: 90, settle: LOST });
    assert.deepEqual(settleEdit(CONFLICT, 'D'), { ...KEY, if_seq: 90, settle: LOST, set: { text: 'D' } });
    assert.deepEqual(settleEdit({ ...CONFLICT, merge: 'set' }, 'x').add, { text: ['x'] });
  });

  it('that another one has settled is only written to', () => {
    assert.deepEqual(settleEdit({ ...CONFLICT, state: 'settled' }, 'D'), { ...KEY, if_seq: 90, set: { text: 'D' } });
  });

  it('is opened again with what stood there, where the settlement wrote what is on show', () => {
    const settled: Conflict = { ...CONFLICT, state: 'settled', review: { settled: true, by: 'P', name: '', n: 9, stamp: 1 } };
    assert.deepEqual(reopenEdits(settled), [{ ...KEY, if_seq: 90, reopen: LOST, set: { text: 'A' } }]);
    assert.deepEqual(reopenEdits({ ...settled, review: { ...settled.review!, n: 10 } }), [{ ...KEY, if_seq: 90, reopen: LOST }]);
    const back = { ...settled, winner: { ...settled.winner!, seq: 90, saw: { record: 'deleted' as const } } };
    assert.deepEqual(reopenEdits(back).map((edit) => edit.del ?? false), [false, true]);
  });
});

describe('two people', () => {
  const person = (id: string, fields: RecordRow['fields']): RecordRow => ({ scope: 't', coll: 'volunteer', id, seq: 7, fields: fields ?? {} });
  const two: Two = { one: person('a', {}), other: person('b', {}), candidate: { scope: 't', coll: 'duplicate', id: 'a~b', seq: 9, fields: { state: 'open' } } };

  it('are merged into the one that stays', () => {
    assert.deepEqual(mergeEdits(two, 'a').map(({ id, if_seq: seq, set }) => [id, seq, set]), [['b', 7, { merged_into: 'a' }], ['a~b', 9, { state: 'merged' }]]);
    assert.deepEqual(mergeExpects(two, 'a'), [{ scope: 't', coll: 'volunteer', id: 'a', if_seq: 7 }]);
    assert.equal(mergedFrom(two), null);
  });

  it('are two again when it is undone, also where the server had no candidate', () => {
    const merged = { ...two, other: person('b', { merged_into: 'a' }) };
    assert.deepEqual(undoEdits(merged).map(({ id, set }) => [id, set]), [['b', { merged_into: null }], ['a~b', { state: 'open' }]]);
    assert.equal(undoEdits({ ...merged, candidate: null }).length, 1);
  });
});

it('two of whom one record could not be read are not shown, to be merged by halves', async () => {
  globalThis.fetch = (async (path: string) => (path.includes('duplicate')
    ? new Response(JSON.stringify({ code: 'auth.forbidden' }), { status: 403 })
    : new Response(JSON.stringify({ records: [{ scope: 't', coll: 'volunteer', id: 'a', seq: 7, fields: {} }] })))) as typeof fetch;
  await assert.rejects(readTwo('t', 'volunteer', 'a', 'b'), (error: ApiError) => error.code === 'auth.forbidden');
});

describe('a refused edit', () => {
  it('is handed in as its author would have, with what they had seen', () => {
    const op = { n: 5, scope: 't', coll: 'note', id: 'n1', base: 40, schema: 1, set: { text: 'x' } };
    assert.deepEqual(replayEdit('7K3M9QX2PA~5', op, { scope: 't', coll: 'note', id: 'n2', edits: { set: { text: 'y' } } }),
                     { scope: 't', coll: 'note', id: 'n2', base: 40, schema: 1, set: { text: 'y' }, replays: { device: '7K3M9QX2PA', n: 5 } });
    assert.deepEqual(refusedName('7K3M9QX2PA~5~1f'), { device: '7K3M9QX2PA', n: 5, variant: true });
    assert.equal(refusedName('x'), null);
  });

  it('is followed without reading the quarantine, each part of which is a line in the audit log', async () => {
    const asked: string[] = [];
    globalThis.fetch = (async (path: string) => {
      asked.push(path.split('?')[0] ?? '');
      return new Response(JSON.stringify({ records: [{ scope: 'system:office', coll: 'refused', id: 'D~5', seq: 7 }] }));
    }) as typeof fetch;
    assert.equal((await readRefused('D~5')).seq, 7);
    assert.deepEqual(asked, ['/v1/records']);
  });

  it('typed as JSON is one only with edits that there are', () => {
    assert.deepEqual(parseEdits('{"set":{"a":1}}'), { set: { a: 1 } });
    for (const text of ['{', '[]', '{}', '{"n":1}', 'null']) assert.equal(typeof parseEdits(text), 'string', text);
  });

  it('keeps word for word what nobody has touched in its form', () => {
    const op = { coll: 'event', set: { starts: '2026-01-01T00:30:07.123Z', title: null, headcount: 7 }, append: { remarks: ['来了', '走了'] } };
    const lines = linesOf(op);
    const { coll, ...edits } = op;
    assert.deepEqual(editsOfLines(coll, lines), edits);
    const typed = lines.map((line) => (line.field === 'headcount' ? { ...line, text: '8' } : line.field === 'remarks' ? { ...line, text: ['走了', '又来了'] } : line));
    assert.deepEqual(editsOfLines(coll, typed), { set: { ...op.set, headcount: 8 }, append: { remarks: ['走了', '又来了'] } });
  });

  it('is told in words, whatever a device has written', () => {
    assert.deepEqual(opLines({ coll: 'event', set: { headcount: 7, title: null } }), ['到场人数改为“7”', '清空名称']);
    assert.deepEqual(opLines({ coll: 'station', add: { services: ['water'] }, inc: { x: -2 } }), ['x减 2', '提供的服务添加“饮水”']);
    assert.deepEqual(opLines({ set: 5 as never, settle: 'x' as never, replays: null as never }), []);
  });
});

it('a seq tells when it was given', () => {
  assert.equal(timeOfSeq(Math.floor(Date.UTC(2026, 0, 1) - Date.UTC(2024, 0, 1)) * 4096 + 17), Date.UTC(2026, 0, 1));
});
