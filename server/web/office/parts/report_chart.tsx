// The chart above a report's table. It says in words what it shows; the table beside it holds every number.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Drawing } from '../chart';
import type { Picture } from '../report_series';
import { numberText } from '../reports';
import { titled } from '../../ui/i18n';
import { t } from '../words';

/** The largest and the smallest, for those who hear the page. */
export function altText(picture: Picture, title: string): string {
  const sums = picture.categories.map((name, i) => ({ name, n: picture.series.reduce((all, { values }) => all + (values[i] ?? 0), 0) }));
  const largest = sums.reduce((a, b) => (b.n > a.n ? b : a));
  const smallest = sums.reduce((a, b) => (b.n < a.n ? b : a));
  const number = (n: number) => numberText(n, picture.measure.type);
  return t('report.chart_alt', {
    title, measure: titled(picture.measure.title), n: sums.length,
    largest: largest.name, most: number(largest.n), smallest: smallest.name, least: number(smallest.n),
  });
}

export function ReportChart({ picture, title }: { picture: Picture; title: string }) {
  const ref = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const latest = useRef(picture);
  latest.current = picture;
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    import('../chart').then(({ draw }) => {
      if (left || ref.current === null) return;
      drawing.current = draw(ref.current);
      drawing.current.show(latest.current);
    }, () => setFailed(true));
    return () => {
      left = true;
      drawing.current?.end();
      drawing.current = null;
    };
  }, []);
  useEffect(() => drawing.current?.show(picture), [picture]);
  const tall = picture.kind === 'ranked' ? Math.min(16, picture.categories.length) : 0;
  return (
    <figure class={`chart tall-${tall}`}>
      {failed ? <p class="nothing quiet">{t('report.chart_failed')}</p> : <div ref={ref} class="canvas" role="img" aria-label={altText(picture, title)} />}
    </figure>
  );
}
