// A list that draws only the rows on screen: thousands of records scroll as lightly as twenty. Rows are of
// one height, given in rem so that it follows the user's text size.

import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const MORE_ROWS = 6;
// Rows come and go by so many at once: most frames of a scroll then draw nothing.
const STEP_ROWS = 4;

interface VirtualProps<Item> {
  items: readonly Item[];
  keyOf: (item: Item) => string;
  /** What a row is drawn from, besides the item: while both are the same ones, so is the row. */
  stampOf: (item: Item) => unknown;
  rowRem: number;
  label: string;
  row: (item: Item) => ComponentChildren;
}

/** A row as it was drawn last: given again, it costs nothing. */
interface Drawn {
  item: unknown;
  stamp: unknown;
  place: string;
  node: VNode;
}

export function VirtualList<Item>({ items, keyOf, stampOf, rowRem, label, row }: VirtualProps<Item>) {
  const ref = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 20 });
  const drawn = useRef(new Map<string, Drawn>());
  const [rootPx, setRootPx] = useState(readRootPx);
  const rowPx = rowRem * rootPx;
  /** How far the list begins below the top of what scrolls. */
  const offset = useRef(0);

  const measure = () => {
    const list = ref.current;
    const scroller = list?.closest<HTMLElement>('.frame-body');
    if (!list || !scroller) return;
    const top = scroller.scrollTop - offset.current;
    const first = Math.max(0, Math.floor((top / rowPx - MORE_ROWS) / STEP_ROWS) * STEP_ROWS);
    const last = Math.max(first, Math.ceil(((top + scroller.clientHeight) / rowPx + MORE_ROWS) / STEP_ROWS) * STEP_ROWS);
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
  };

  const place = () => {
    const list = ref.current;
    const scroller = list?.closest<HTMLElement>('.frame-body');
    if (!list || !scroller) return;
    offset.current = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    setRootPx(readRootPx());
    measure();
  };

  useLayoutEffect(place, [items.length, rowPx]);
  useEffect(() => {
    const scroller = ref.current?.closest<HTMLElement>('.frame-body');
    if (!scroller) return undefined;
    scroller.addEventListener('scroll', measure, { passive: true });
    const watch = new ResizeObserver(place);
    watch.observe(scroller);
    // What stands above the list may grow.
    if (scroller.firstElementChild !== null) watch.observe(scroller.firstElementChild);
    return () => {
      scroller.removeEventListener('scroll', measure);
      watch.disconnect();
    };
  }, [rowPx]);

  const last = Math.min(range.last, items.length);
  const shown: VNode[] = [];
  const next = new Map<string, Drawn>();
  for (let i = Math.min(range.first, last); i < last; ++i) {
    const item = items[i] as Item;
    const key = keyOf(item);
    const stamp = stampOf(item);
    const place = `${i} ${items.length} ${rowPx}`;
    const before = drawn.current.get(key);
    if (before !== undefined && before.item === item && before.stamp === stamp && before.place === place) {
      next.set(key, before);
      shown.push(before.node);
      continue;
    }
    const node = (
      <div
        key={key}
        class="item"
        role="listitem"
        aria-setsize={items.length}
        aria-posinset={i + 1}
        style={{ height: `${rowPx}px`, transform: `translateY(${i * rowPx}px)` }}
      >
        {row(item)}
      </div>
    );
    next.set(key, { item, stamp, place, node });
    shown.push(node);
  }
  drawn.current = next;
  return (
    <div ref={ref} class="virtual" role="list" aria-label={label} style={{ height: `${items.length * rowPx}px` }}>
      {shown}
    </div>
  );
}

function readRootPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
