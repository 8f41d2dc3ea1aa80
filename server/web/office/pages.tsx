// The office's pages: each is a line. The navigation shows them in this order; what only administrators may
// do is not offered to others.

import type { VNode } from 'preact';
import type { OfficeIconName } from './icons';
import type { Place } from './router';
import type { OfficeKey } from './words';

export interface PageEntry {
  /** The first part of its address, "#/name". */
  name: string;
  title: OfficeKey;
  /** None: it is not in the navigation. */
  icon?: OfficeIconName;
  group: 'city' | 'records' | 'devices' | 'office';
  administrator?: true;
  /** Where the navigation leads, when that is not "#/name". */
  href?: string;
  show: (place: Place) => VNode;
}

export const GROUPS = ['city', 'records', 'devices', 'office'] as const;

export const pages: readonly PageEntry[] = [
  // The city: today, reports.

  // Records: lists, one record, conflicts, quarantine.

  // Devices.

  // The office itself: accounts, access, policy, audit, me.
];
