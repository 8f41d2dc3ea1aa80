// The rules of a policy in words, and the reasons that a decision by them has.

import type { Title } from '../ui/i18n';
import { collTitle, fieldTitle } from './names';
import { refusedText } from './op_text';
import type { Decision, Role } from './types';
import { hasSentence, t, type OfficeKey } from './words';

export type ReadRule = 'all' | 'none' | { all_but: string[] };
export type WriteRule = 'all' | 'none' | { fields?: string[]; does?: string[] };

/** A policy file (schemas/policy.schema.json). */
export interface Policy {
  roles: Record<string, { title: Title; system?: boolean; others: Rule; collections: Record<string, Rule> }>;
}

export interface Rule {
  read: ReadRule;
  write: WriteRule;
}

const and = (words: readonly string[]) => words.join(t('op.and'));

export function readText(coll: string, rule: ReadRule): string {
  if (rule === 'all') return t('policy.all');
  if (rule === 'none') return t('policy.none');
  return t('policy.all_but', { fields: and(rule.all_but.map((field) => fieldTitle(coll, field))) });
}

export function writeText(coll: string, rule: WriteRule): string {
  if (rule === 'all') return t('policy.all');
  if (rule === 'none') return t('policy.none');
  const fields = rule.fields === undefined ? '' : and(rule.fields.map((field) => fieldTitle(coll, field)));
  const does = rule.does === undefined ? '' : and(rule.does.map((doing) => t(`does.${doing}` as OfficeKey)));
  if (fields === '') return t('policy.only_does', { does });
  return does === '' ? t('policy.only_fields', { fields }) : t('policy.only', { fields, does });
}

const RULE_PLACE = /^\/roles\/([^/]+)\/(?:(others)|collections\/[^/]+)\/(read|write)$/;

/** "/roles/lead/collections/visit/write" and what stands there. */
function ruleReason(coll: string, { place = '', rule }: Decision['about']): string | null {
  const [, role, others, what] = RULE_PLACE.exec(place) ?? [];
  if (role === undefined || rule === undefined) return null;
  const said = what === 'read' ? readText(coll, rule as ReadRule) : writeText(coll, rule as WriteRule);
  const whom = t(`role.${role as Role}`);
  return t(`reason.${others === undefined ? 'rule' : 'rule_others'}_${what === 'read' ? 'read' : 'write'}`, { role: whom, coll: collTitle(coll), rule: said });
}

/** Why a device may or may not, in the language on show. */
export function reasonText(coll: string, { code, about }: Decision): string {
  if (code === 'policy') return ruleReason(coll, about) ?? about.place ?? code;
  const key = `reason.${code}`;
  if (!hasSentence(key)) return refusedText(code);
  return t(key, { scope: about.scope ?? '', role: about.role === undefined ? '' : t(`role.${about.role}`) });
}

/** Where it stands, for those who look it up: a place in the policy file, or the code of a refusal. */
export function reasonPlace({ code, about }: Decision): string {
  if (about.place !== undefined) return about.place;
  return code.includes('.') ? code : '';
}
