// Draws a picture of a report with Apache ECharts, of which only these parts are taken. Loaded when a report is
// opened: no other page carries it. Under the pages' policy no text may come in as HTML with styles, so tips are
// drawn into the canvas too.

import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use, type ECharts, type EChartsCoreOption } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Picture } from './report_series';
import { numberText } from './reports';

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

/** More points than these are a line. */
const MOST_BARS = 62;
const PALETTE = 8;

interface Look {
  font: string;
  px: number;
  ink: string;
  quiet: string;
  line: string;
  surface: string;
  colours: string[];
}

function lookOf(element: HTMLElement): Look {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    font: style.fontFamily,
    px: Number.parseFloat(style.fontSize),
    ink: token('--ink'),
    quiet: token('--ink-2'),
    line: token('--line'),
    surface: token('--surface'),
    colours: Array.from({ length: PALETTE }, (_, i) => token(`--chart-${i + 1}`)),
  };
}

/** Hours are drawn of what is counted in minutes, so that the axis has round hours. */
function drawnOf(n: number, { type }: Picture['measure']): number {
  return type === 'minutes' ? n / 60 : n;
}

function textOf(n: unknown, { type }: Picture['measure']): string {
  return numberText(type === 'minutes' ? Number(n) * 60 : Number(n), type);
}

/** Days of one year without the year: the period stands above. */
function shortNames(categories: readonly string[]): readonly string[] {
  const years = new Set(categories.map((text) => text.slice(0, 5)));
  return years.size === 1 && /^\d{4}-\d\d-\d\d$/.test(categories[0] ?? '') ? categories.map((text) => text.slice(5)) : categories;
}

function axesOf({ kind, categories, series }: Picture, look: Look): EChartsCoreOption {
  const numbered = kind === 'ranked' && series.length === 1;
  const words = { fontFamily: look.font, fontSize: look.px * 0.9, color: look.quiet };
  const value = {
    type: 'value',
    // Ranked bars carry their numbers.
    axisLabel: { ...words, show: !numbered, hideOverlap: true, formatter: (n: number) => numberText(n, 'integer') },
    splitLine: { show: !numbered, lineStyle: { color: look.line } },
    minInterval: 1,
    splitNumber: 4,
  };
  const category = {
    type: 'category',
    data: shortNames(categories),
    axisTick: { show: false },
    axisLine: { lineStyle: { color: look.line } },
    axisLabel: { ...words, hideOverlap: true, ...(kind === 'ranked' && { color: look.ink, width: look.px * 11, overflow: 'truncate', interval: 0 }) },
    ...(kind === 'ranked' && { inverse: true }),
  };
  return kind === 'ranked' ? { xAxis: value, yAxis: category } : { xAxis: category, yAxis: value };
}

function optionOf(picture: Picture, look: Look): EChartsCoreOption {
  const { kind, categories, series, measure } = picture;
  const many = series.length > 1;
  const asLine = kind === 'time' && categories.length > MOST_BARS;
  return {
    animationDuration: 300,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    color: look.colours,
    textStyle: { fontFamily: look.font },
    grid: { top: many ? look.px * 3 : look.px, right: look.px * (kind === 'ranked' ? 4 : 1), bottom: look.px * 0.5, left: look.px * 0.5, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    legend: { show: many, type: 'plain', top: 0, left: 0, itemWidth: look.px, itemHeight: look.px * 0.7, icon: 'roundRect', textStyle: { color: look.ink, fontSize: look.px * 0.9 } },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      axisPointer: { type: asLine ? 'line' : 'shadow' },
      backgroundColor: look.surface,
      borderColor: look.line,
      textStyle: { color: look.ink, fontFamily: look.font, fontSize: look.px * 0.95 },
      valueFormatter: (n: unknown) => textOf(n, measure),
    },
    ...axesOf(picture, look),
    series: series.map(({ name, values }, i) => ({
      name,
      type: asLine ? 'line' : 'bar',
      data: values.map((n) => drawnOf(n, measure)),
      ...(many && { stack: 'all' }),
      ...(asLine && { showSymbol: false, lineStyle: { width: many ? 1 : 2 }, areaStyle: { opacity: many ? 0.75 : 0.12 } }),
      barMaxWidth: look.px * 2.2,
      barCategoryGap: '28%',
      itemStyle: { borderRadius: many ? 0 : kind === 'ranked' ? [0, 2, 2, 0] : [2, 2, 0, 0], ...(many && { borderColor: look.surface, borderWidth: 0.5 }) },
      ...(kind === 'ranked' && !many && {
        label: { show: true, position: 'right', color: look.ink, fontSize: look.px * 0.9, formatter: ({ value }: { value: unknown }) => textOf(value, measure) },
      }),
      ...(many && { color: look.colours[i % PALETTE] }),
    })),
  };
}

export interface Drawing {
  show: (picture: Picture) => void;
  end: () => void;
}

/** Draws into `element`, follows its size and the scheme of colours. */
export function draw(element: HTMLElement): Drawing {
  const chart: ECharts = init(element, null, { renderer: 'canvas' });
  let shown: Picture | null = null;
  const again = () => shown !== null && chart.setOption(optionOf(shown, lookOf(element)), { notMerge: true });
  const watch = new ResizeObserver(() => chart.resize());
  watch.observe(element);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', again);
  return {
    show: (picture) => {
      shown = picture;
      again();
    },
    end: () => {
      watch.disconnect();
      scheme.removeEventListener('change', again);
      chart.dispose();
    },
  };
}
