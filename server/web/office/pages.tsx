// The office's pages: each is a line. The navigation shows them in this order; what only administrators may
// do is not offered to others.

import type { VNode } from 'preact';
import type { OfficeIconName } from './icons';
import { AccessPage } from './pages/access';
import { AccountsPage } from './pages/accounts';
import { AuditPage } from './pages/audit';
import { CodesPage } from './pages/codes';
import { DevicePage } from './pages/device';
import { DevicesPage } from './pages/devices';
import { EnrolPage } from './pages/enrol';
import { MePage } from './pages/me';
import { PolicyPage } from './pages/policy';
import { ReportPage } from './pages/report';
import { ReportsPage } from './pages/reports';
import { SheetPage } from './pages/sheet';
import { TodayPage } from './pages/today';
import { WallPage } from './pages/wall';
import type { Place } from './router';
import { isAdministrator } from './session';
import type { OfficeKey } from './words';

export interface PageEntry {
  /** The first part of its address, "#/name". */
  name: string;
  title: OfficeKey;
  /** None: it is not in the navigation. */
  icon?: OfficeIconName;
  group: 'city' | 'records' | 'devices' | 'office';
  administrator?: true;
  /** It has the whole screen, without navigation. */
  bare?: true;
  /** Where the navigation leads, when that is not "#/name". */
  href?: string;
  show: (place: Place) => VNode;
}

export const GROUPS = ['city', 'records', 'devices', 'office'] as const;

export const pages: readonly PageEntry[] = [
  // The city: today, reports.
  { name: 'today', title: 'today.title', icon: 'pulse', group: 'city', show: () => <TodayPage /> },
  { name: 'wall', title: 'today.title', group: 'city', bare: true, show: () => <WallPage /> },
  { name: 'reports', title: 'reports.title', icon: 'chart', group: 'city', show: (place) => (place.parts[0] === undefined ? <ReportsPage /> : <ReportPage key={place.parts[0]} {...place} />) },

  // Records: lists, one record, conflicts, quarantine.

  // Devices.
  { name: 'devices', title: 'devices.title', icon: 'phone', group: 'devices', show: devicesAt },
  { name: 'access', title: 'access.title', icon: 'key', group: 'devices', administrator: true, show: (place) => <AccessPage {...place} /> },

  // The office itself.
  { name: 'accounts', title: 'accounts.title', icon: 'people', group: 'office', administrator: true, show: (place) => <AccountsPage {...place} /> },
  { name: 'policy', title: 'policy.title', icon: 'shield', group: 'office', show: () => <PolicyPage /> },
  { name: 'audit', title: 'audit.title', icon: 'book', group: 'office', administrator: true, show: (place) => <AuditPage {...place} /> },
  { name: 'me', title: 'me.title', group: 'office', show: () => <MePage /> },
];

function devicesAt(place: Place): VNode {
  const [what] = place.parts;
  if (what === undefined) return <DevicesPage {...place} />;
  if (!isAdministrator() && ['new', 'sheet', 'codes'].includes(what)) return <DevicesPage {...place} />;
  if (what === 'new') return <EnrolPage />;
  if (what === 'sheet') return <SheetPage />;
  if (what === 'codes') return <CodesPage />;
  return <DevicePage key={what} id={what} />;
}
