// Icons that only the office has, drawn like those that all pages share.

import { Icon, Strokes, type IconName } from '../ui/icon';

const paths = {
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9',
  fork: 'M6 4v5a6 6 0 0 0 6 6M18 4v5a6 6 0 0 1-6 6v5M3.5 6.5L6 4l2.5 2.5M15.5 6.5L18 4l2.5 2.5',
  shield: 'M12 3l8 3v6c0 5-3.5 7.5-8 9-4.5-1.5-8-4-8-9V6z',
  key: 'M11 14a4.5 4.5 0 1 1-3-6.5A4.5 4.5 0 0 1 11 14zM10.5 10L20 4M16 6.5l2.5 3',
  book: 'M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11M9 8h6',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  print: 'M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z',
  copy: 'M9 9h11v12H9zM5 15H4V3h11v2',
  menu: 'M4 7h16M4 12h16M4 17h16',
  download: 'M12 4v11M7.5 11L12 15.5 16.5 11M5 20h14',
  filter: 'M4 6h16M7 12h10M10 18h4',
  pulse: 'M3 12h4l3-7 4 14 3-7h4',
  screen: 'M3 5h18v12H3zM9 21h6M12 17v4',
  hold: 'M9 6v12M15 6v12',
  go_on: 'M8 5.5v13l10-6.5z',
} as const;

export type OfficeIconName = keyof typeof paths | IconName;

export function OfficeIcon({ name, small = false }: { name: OfficeIconName; small?: boolean }) {
  return Object.hasOwn(paths, name) ? <Strokes d={paths[name as keyof typeof paths]} small={small} /> : <Icon name={name as IconName} small={small} />;
}
