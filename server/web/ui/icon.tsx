// The pages' icons: strokes on a grid of 24, drawn for Waystation.

const paths = {
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  arrived: 'M2.5 12.5L7 17l8.5-9M12 16l1 1 8.5-9',
  clock: 'M12 7v5l3.5 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z',
  offline: 'M4 4l16 16M8.5 8.6A5 5 0 0 0 7 18h10M11 6.1A5 5 0 0 1 16.6 10a4 4 0 0 1 3 6.6',
  sync: 'M20 11a8 8 0 0 0-14.5-3.5L4 9M4 4v5h5M4 13a8 8 0 0 0 14.5 3.5L20 15M20 20v-5h-5',
  warn: 'M12 9v4.5M12 17h.01M12 3.5L2.5 20h19z',
  stop: 'M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM12 8v5M12 16.5h.01',
  search: 'M20 20l-4.5-4.5M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0z',
  scan: 'M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M4 12h16',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM20 14v.01M14 20v.01',
  person: 'M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM4.5 21a7.5 7.5 0 0 1 15 0',
  personAdd: 'M14 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM2.5 21a7.5 7.5 0 0 1 15 0M19.5 8v6M16.5 11h6',
  people: 'M13 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM2 21a7 7 0 0 1 14 0M16 4.3a4 4 0 0 1 0 7.4M18.5 15a7 7 0 0 1 3.5 6',
  calendar: 'M4 6h16v14H4zM4 10.5h16M8 3v5M16 3v5',
  pin: 'M12 21s7-6 7-11a7 7 0 0 0-14 0c0 5 7 11 7 11zM14.5 10a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
  house: 'M3.5 11L12 4l8.5 7M6 9.5V20h12V9.5M10 20v-6h4v6',
  camera: 'M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM15.5 13a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0z',
  note: 'M5 4h14v11l-5 5H5zM19 15h-5v5M8.5 9h7M8.5 13H12',
  undo: 'M4 9h10a6 6 0 0 1 0 12h-4M4 9l5-5M4 9l5 5',
  gift: 'M4 11h16v9H4zM3 7h18v4H3zM12 7v13M12 7C9 7 7 5.5 8 4s3.5 0 4 3c.5-3 3-4.5 4-3s-1 3-4 3z',
  chart: 'M4 20h16M7 20v-7M12 20V5M17 20v-11',
  share: 'M12 15V4M8 7.5L12 4l4 3.5M5 13v7h14v-7',
  inbox: 'M12 4v9M8 9.5L12 13l4-3.5M4 15v5h16v-5',
  more: 'M5 11.5v1h1v-1zM11.5 11.5v1h1v-1zM18 11.5v1h1v-1z',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  phone: 'M7 2.5h10v19H7zM11 18.5h2',
  language: 'M3 6h10M8 3.5V6c0 4-2 7-5 8.5M5.5 9c1.5 3 4 4.5 6.5 5.5M12 20.5l4.5-10 4.5 10M13.5 17.5h6',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return <Strokes d={paths[name]} small={small} />;
}

/** For icons that only one application has. */
export function Strokes({ d, small = false }: { d: string; small?: boolean }) {
  return (
    <svg class={small ? 'icon s' : 'icon'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}
