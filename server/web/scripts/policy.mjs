// From the policy as shipped: app/generated/policy.ts, what each role may write.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const policy = JSON.parse(readFileSync(new URL('../../../schemas/policy.json', import.meta.url), 'utf8'));

const roles = {};
for (const [role, rule] of Object.entries(policy.roles)) {
  const writes = {};
  for (const [coll, { write }] of Object.entries(rule.collections)) writes[coll] = write;
  roles[role] = { title: rule.title, others: rule.others.write, writes };
}

write(
  '../app/generated/',
  `// Made by scripts/policy.mjs from schemas/policy.json. Not to be edited.

import type { Title } from '../../ui/i18n';

export type WriteRule = 'all' | 'none' | { fields?: string[]; does?: string[] };

export interface RoleRules {
  title: Title;
  others: WriteRule;
  writes: Record<string, WriteRule>;
}

export const roles: Record<string, RoleRules> = ${JSON.stringify(roles)};
`,
);

function write(folder, text) {
  const target = new URL(folder, import.meta.url);
  mkdirSync(target, { recursive: true });
  writeFileSync(new URL('policy.ts', target), text);
}
