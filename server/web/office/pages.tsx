// The office's pages: each is a line. The navigation shows them in this order; what only administrators may
// do is not offered to others.

import type { VNode } from 'preact';
import { conflictAt } from './conflicts';
import type { OfficeIconName } from './icons';
import { AccessPage } from './pages/access';
import { AccountsPage } from './pages/accounts';
import { AuditPage } from './pages/audit';
import { CodesPage } from './pages/codes';
import { ConflictPage } from './pages/conflict';
import { ConflictsPage } from './pages/conflicts';
import { DevicePage } from './pages/device';
import { DevicesPage } from './pages/devices';
import { DuplicatesPage, TwoPage } from './pages/duplicates';
import { EnrolPage } from './pages/enrol';
import { ListPage } from './pages/lists';
import { MePage } from './pages/me';
import { PolicyPage } from './pages/policy';
import { QuarantinePage } from './pages/quarantine';
import { RecordPage } from './pages/record';
import { RefusedPage } from './pages/refused';
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
  /** Of several entries with one name: the second part of the address that is this one's. */
  part?: string;
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
  { name: 'lists', part: 'event', title: 'lists.events', icon: 'calendar', group: 'records', show: (place) => <ListPage {...place} /> },
  { name: 'lists', part: 'station', title: 'lists.stations', icon: 'house', group: 'records', show: (place) => <ListPage {...place} /> },
  { name: 'lists', part: 'volunteer', title: 'lists.people', icon: 'people', group: 'records', show: (place) => <ListPage {...place} /> },
  { name: 'lists', title: 'lists.records', icon: 'table', group: 'records', show: (place) => <ListPage {...place} /> },
  { name: 'records', title: 'lists.records', group: 'records', show: recordAt },
  { name: 'conflicts', title: 'conflicts.title', icon: 'fork', group: 'records', show: conflictsAt },
  { name: 'duplicates', title: 'duplicates.title', icon: 'copy', group: 'records', show: duplicatesAt },
  { name: 'quarantine', title: 'quarantine.title', icon: 'inbox', group: 'records', show: (place) => (place.parts[0] === undefined ? <QuarantinePage {...place} /> : <RefusedPage key={place.parts[0]} id={place.parts[0]} />) },

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

/** The entry of a place: the one that names its second part, else the one that names none. */
export function entryAt(entries: readonly PageEntry[], { page, parts: [part] }: Place): PageEntry | undefined {
  const named = entries.filter(({ name }) => name === page);
  return named.find((entry) => entry.part !== undefined && entry.part === part) ?? named.find((entry) => entry.part === undefined);
}

function recordAt(place: Place): VNode {
  const [scope, coll, id] = place.parts;
  if (scope === undefined || coll === undefined || id === undefined) return <ListPage {...place} parts={[]} />;
  return <RecordPage key={place.parts.join(' ')} record={{ scope, coll, id }} />;
}

function conflictsAt(place: Place): VNode {
  const name = conflictAt(place.parts);
  return name === null ? <ConflictsPage {...place} /> : <ConflictPage key={place.parts.join(' ')} name={name} />;
}

function duplicatesAt(place: Place): VNode {
  const [scope, one] = place.parts;
  if (scope === undefined || one === undefined) return <DuplicatesPage {...place} />;
  return <TwoPage key={place.parts.join(' ')} scope={scope} one={one} other={place.query.get('other') ?? ''} />;
}
