// What this device's role may write, by the policy as shipped: so that nobody is offered what would be
// refused. The server decides; where its policy is another one, it says so with `access.denied`.

import { titled } from '../ui/i18n';
import { device } from './device';
import { roles } from './generated/policy';

export type Doing = 'create' | 'set' | 'inc' | 'add' | 'append' | 'lease' | 'spend' | 'return' | 'delete';

export function may(coll: string, doing: Doing, field?: string): boolean {
  const rules = roles[device().role ?? ''];
  if (rules === undefined) return true;
  const rule = rules.writes[coll] ?? rules.others;
  if (typeof rule === 'string') return rule === 'all';
  if (rule.does === undefined && rule.fields !== undefined && (doing === 'create' || doing === 'delete')) return false;
  if (rule.does !== undefined && !rule.does.includes(doing)) return false;
  return rule.fields === undefined || field === undefined || rule.fields.includes(field);
}

export function roleName(): string {
  const role = device().role ?? '';
  const rules = roles[role];
  return rules === undefined ? role : titled(rules.title);
}
