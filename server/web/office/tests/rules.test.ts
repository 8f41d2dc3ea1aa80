// Why a device may or may not, in words of both languages.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setLang } from '../../ui/i18n';
import { reasonPlace, reasonText } from '../rules';
import type { Decision } from '../types';

globalThis.document ??= { documentElement: {} } as Document;
const because = (code: string, about: Decision['about'] = {}): Decision => ({ allowed: false, reason: '', code, about });
const place = '/roles/volunteer/collections/volunteer/read';

afterEach(() => setLang('zh'));

describe('a reason', () => {
  it('by a rule names the role, the kind and what the rule shows', () => {
    const rule = because('policy', { place, rule: { all_but: ['phone_tail'] } });
    assert.match(reasonText('volunteer', rule), /志愿者.*手机.*外的全部/);
    assert.equal(reasonPlace(rule), place);
    setLang('en');
    assert.match(reasonText('volunteer', rule), /Volunteer .*all but/);
  });

  it('of a kind that the policy does not name says so', () => {
    assert.match(reasonText('note', because('policy', { place: '/roles/lead/others/write', rule: 'none' })), /没有为.*单独规定.*无$/);
  });

  it('names the scope or the role that it is about', () => {
    assert.match(reasonText('note', because('scope_not_held', { scope: 'event:e1' })), /event:e1/);
    assert.match(reasonText('note', because('system_scope', { role: 'lead' })), /领队/);
  });

  it('that is a refusal is that of the refusal, with its code beside it', () => {
    const derived = because('field.derived', { detail: 'only the server writes minutes' });
    assert.equal(reasonText('attendance', derived), '只有服务器能写这一栏');
    assert.equal(reasonPlace(derived), 'field.derived');
  });

  it('has a sentence in each language, whatever the server answers', () => {
    for (const lang of ['zh', 'en'] as const) {
      setLang(lang);
      for (const code of ['no_policy', 'shut_out', 'ended', 'server_only', 'record.key', 'delete.forbidden', 'facts.immutable', 'device.draining', 'scope.forbidden']) {
        assert.doesNotMatch(reasonText('note', because(code)), new RegExp(`^${code}|reason\\.|refusal\\.|（|\\(`), `${lang} ${code}`);
      }
    }
  });
});
