// Made by scripts/policy.mjs from schemas/policy.json. Not to be edited.

import type { Title } from '../../ui/i18n';

export type WriteRule = 'all' | 'none' | { fields?: string[]; does?: string[] };

export interface RoleRules {
  title: Title;
  others: WriteRule;
  writes: Record<string, WriteRule>;
}

export const roles: Record<string, RoleRules> = {"volunteer":{"title":{"zh":"志愿者","en":"Volunteer"},"others":"none","writes":{"scope":"none","station":"none","station_day":"none","event":{"fields":["remarks"],"does":["append"]},"attendance":{"fields":["event","volunteer","signed_in","signed_out","role","remarks"],"does":["create","set","append"]},"volunteer":"none","note":"all","quota":"none"}},"lead":{"title":{"zh":"领队","en":"Team lead"},"others":"all","writes":{"scope":"none"}},"station":{"title":{"zh":"驿站值守","en":"Station operator"},"others":"none","writes":{"scope":"none","station":{"fields":["services","open_hours","phone","state"]},"station_day":"all","visit":"all","note":"all","event":"none","attendance":"none","volunteer":"none","quota":{"does":["lease","spend","return"]},"balance":{"does":["lease","spend","return"]},"ledger":"none"}},"office":{"title":{"zh":"办公室","en":"Office"},"others":"all","writes":{}},"administrator":{"title":{"zh":"管理员","en":"Administrator"},"others":"all","writes":{}}};
