// Turns series into uPlot's options and data: stacking, axes in the right unit, marks, tooltip. No React here.
import type uPlot from "uplot";
import { cssColor } from "./cssColor";
import { formatBytes, formatDuration, formatNumber, formatPercent } from "./format";
import { type ChartMark, clustersOf, drawMarks, tellMarks } from "./marks";
import { formatAbsolute } from "./time";

export type Unit = "seconds" | "bytes" | "bytes_per_second" | "per_second" | "percent" | "ratio" | "count" | "load" | "number";

export interface ChartSeries {
  label: string;
  /** A CSS colour; `var(--series-1)` follows the colour scheme. */
  color: string;
  values: readonly (number | null)[];
  isFilled?: boolean;
  /** What it was at another time, for comparison. */
  isDashed?: boolean;
  isHidden?: boolean;
}

export interface ChartSpec {
  /** Seconds since the epoch, ascending. */
  times: readonly number[];
  series: readonly ChartSeries[];
  unit: Unit;
  isStacked?: boolean;
  /** Counts of steps that begin at the times, drawn as bars; with `isStacked` one upon the other. */
  isBars?: boolean;
  /** A fixed top of the axis, e.g. 100 for percentages. */
  max?: number;
  /** Whether the axis may begin elsewhere than at zero, where the numbers are far from it. */
  isFitted?: boolean;
  dots?: readonly ChartDot[];
}

/** One observation with what it came from: an exemplar. */
export interface ChartDot {
  atS: number;
  value: number;
  text: string;
  labels: readonly (readonly [string, string])[];
}

interface Placement {
  width: number;
  height: number;
  classes: Record<string, string | undefined>;
  zoom: { in: (fromS: number, toS: number) => void; out: () => void };
  bars?: uPlot.Series.PathBuilder | undefined;
}

interface Latest {
  current: { spec: ChartSpec; marks: readonly ChartMark[] };
}

/** Left axis and right padding are the same for all charts, so that bands above and below line up with them. */
export const AXIS_WIDTH = 60;
export const RIGHT_PAD = 12;
/** Room above the plot, where marks have their numbers. */
export const MARKS_PX = 13;
const SYNC_KEY = "holdfast";
const DOT_REACH_PX = 9;
const TIP_ROWS = 12;
const FAR_PX = 60;
const TIP_GAP_PX = 12;
const TIP_MARGIN_PX = 8;
/** What is left of the other curves while one is pointed at in the legend. */
const FADED = 0.18;

export function formatUnit(value: number | null | undefined, unit: Unit, figures?: number): string {
  if (value === null || value === undefined) return "–";
  switch (unit) {
    case "seconds":
      return formatDuration(value, figures);
    case "bytes":
      return formatBytes(value, figures);
    case "bytes_per_second":
      return `${formatBytes(value, figures)}/s`;
    case "per_second":
      return `${formatNumber(value, figures)}/s`;
    case "percent":
      return formatPercent(value, figures);
    case "load":
      return value.toFixed(2);
    case "ratio":
      return formatPercent(value * 100, figures);
    case "number":
      return formatNumber(value, figures);
    case "count":
      return Math.round(value).toLocaleString("en-US");
  }
}

export function buildChart(latest: Latest, { width, height, classes, zoom, bars }: Placement): { options: uPlot.Options; data: uPlot.AlignedData } {
  const { spec } = latest.current;
  const ink = cssColor("var(--text-3)");
  const grid = { stroke: cssColor("var(--line)"), width: 1 };
  const font = "11px 'Inter Variable', system-ui, sans-serif";
  const options: uPlot.Options = {
    width,
    height,
    padding: [MARKS_PX, RIGHT_PAD, 0, 0],
    legend: { show: false },
    focus: { alpha: FADED },
    cursor: {
      y: false,
      sync: { key: SYNC_KEY },
      drag: { x: true, y: false, setScale: false },
      points: spec.isBars ? { show: false } : { size: 6 },
      bind: { dblclick: () => () => (zoom.out(), null) },
    },
    scales: { x: { time: true }, y: { range: (_, dataMin, dataMax) => axisRange(dataMin, dataMax, spec) } },
    axes: [
      { stroke: ink, font, grid: { show: false }, ticks: { show: false }, space: 90, size: 24, gap: 4, values: axisTimes },
      { stroke: ink, font, grid, ticks: { show: false }, size: AXIS_WIDTH, space: 34, gap: 8, incrs: [...increments(spec.unit)], values: (_, values) => axisTexts(values, spec.unit) },
    ],
    series: [{}, ...drawn(spec).map((series) => (spec.isBars ? barOptions(series, bars) : seriesOptions(series, spec)))],
    ...(spec.isStacked && !spec.isBars ? { bands: spec.series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] as [number, number] })) } : {}),
    hooks: {
      setSelect: [
        (chart) => {
          if (chart.select.width < 4) return;
          const from = chart.posToVal(chart.select.left, "x");
          const to = chart.posToVal(chart.select.left + chart.select.width, "x");
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          zoom.in(from, to);
        },
      ],
      draw: [(chart) => drawMarks(chart, latest.current.marks), (chart) => drawDots(chart, latest.current.spec.dots ?? [])],
    },
    plugins: [tooltip(latest, classes)],
  };
  return { options, data: buildChart.data(spec) };
}

/** The numbers alone, cumulated where they are stacked. */
buildChart.data = (spec: ChartSpec): uPlot.AlignedData => {
  if (!spec.isStacked) return [[...spec.times], ...spec.series.map((series) => [...series.values])];
  const sums = spec.times.map(() => 0);
  const rows = spec.series.map((series) =>
    series.values.map((value, index) => {
      if (value === null) return spec.series.every((other) => other.values[index] === null) ? null : (sums[index] ?? 0);
      sums[index] = (sums[index] ?? 0) + value;
      return sums[index] ?? null;
    }),
  );
  return [[...spec.times], ...(spec.isBars ? rows.reverse() : rows)];
};

/** Bars upon bars: the highest sum is drawn first, and those below it over it. */
function drawn(spec: ChartSpec): readonly ChartSeries[] {
  return spec.isBars && spec.isStacked ? spec.series.toReversed() : spec.series;
}

function barOptions(series: ChartSeries, bars: uPlot.Series.PathBuilder | undefined): uPlot.Series {
  const color = cssColor(series.color);
  return { label: series.label, show: !series.isHidden, stroke: color, fill: color, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
}

function seriesOptions(series: ChartSeries, spec: ChartSpec): uPlot.Series {
  const color = cssColor(series.color);
  const isLone = spec.times.length < 3;
  return {
    label: series.label,
    show: !series.isHidden,
    stroke: color,
    ...(series.isDashed ? { dash: [5, 4], alpha: 0.75 } : {}),
    width: spec.isStacked ? 1 : 1.5,
    points: { show: isLone, size: 4, fill: color },
    ...(spec.isStacked || series.isFilled ? { fill: withAlpha(color, spec.isStacked ? 0.35 : 0.1) } : {}),
  };
}

/** Zero stands on the axis, unless the numbers are far from it, differ and may be fitted. */
export function axisRange(dataMin: number | null, dataMax: number | null, spec: Pick<ChartSpec, "max" | "unit" | "isFitted" | "isStacked">): [number, number] {
  if (spec.max !== undefined) return [0, spec.max];
  const [low, high] = [dataMin ?? 0, dataMax ?? 0];
  const room = (high - low) * 0.08;
  if (spec.isFitted && !spec.isStacked && low > 0 && low > high * 0.6 && high > low) return [low - room, high + room];
  if (low >= 0) return [0, niceTop(dataMax, spec.unit)];
  return [-niceTop(-low, spec.unit), high > 0 ? niceTop(high, spec.unit) : 0];
}

/** A round number at or above the data, so that curves do not touch the ceiling. */
export function niceTop(dataMax: number | null, unit: Unit): number {
  if (dataMax === null || !(dataMax > 0)) return unit === "seconds" ? 0.01 : 1;
  const wanted = Math.min(dataMax, Number.MAX_VALUE / 4) * 1.08;
  // Memory is counted in powers of two: a grid line at 18.6 GiB would help nobody.
  if (unit.startsWith("bytes")) {
    const power = 2 ** Math.floor(Math.log2(wanted));
    return ([1, 1.25, 1.5, 1.75, 2].find((one) => one * power >= wanted) ?? 2) * power;
  }
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * power >= wanted) ?? 10;
  return Math.min(step * power, Number.MAX_VALUE / 4);
}

const BINARY = Array.from({ length: 1_000 }, (_, index) => 2 ** index);
const WHOLE = decimalSteps([1, 2, 5], 0);
const ANY = decimalSteps([1, 2, 2.5, 5], -30);

/** The distances at which grid lines may stand, however great the numbers are. */
export function increments(unit: Unit): readonly number[] {
  return unit.startsWith("bytes") ? BINARY : unit === "count" ? WHOLE : ANY;
}

function decimalSteps(ones: readonly number[], from: number): number[] {
  return Array.from({ length: 308 - from }, (_, index) => index + from).flatMap((power) => ones.map((one) => Number(`${one}e${power}`)));
}

/** With as many figures as tell grid lines apart: of numbers that hardly differ, three would all read the same. */
export function axisTexts(values: readonly number[], unit: Unit): string[] {
  const tried = [3, 4, 5, 6, 7].map((figures) => values.map((value) => withoutZeros(formatUnit(value, unit, figures))));
  return tried.find((texts) => new Set(texts).size === texts.length) ?? tried[0] ?? [];
}

/** Round numbers stay short on an axis: "50 ms", not "50.0 ms". */
export function withoutZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}

const HOUR_MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const WITH_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function axisTimes(_: uPlot, splits: number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    if (step >= 86_400) return DATE.format(at);
    if (step < 60) return WITH_SECONDS.format(at);
    const clock = HOUR_MINUTE.format(at);
    return clock === "00:00" ? DATE.format(at) : clock;
  });
}

function drawDots(chart: uPlot, dots: readonly ChartDot[]): void {
  if (dots.length === 0) return;
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = cssColor("var(--surface)");
  ctx.fillStyle = cssColor("var(--text-2)");
  ctx.lineWidth = ratio;
  for (const dot of dots) {
    const place = placeOfDot(chart, dot, true);
    if (!place) continue;
    const size = 4 * ratio;
    ctx.beginPath();
    ctx.moveTo(place.x, place.y - size);
    ctx.lineTo(place.x + size, place.y);
    ctx.lineTo(place.x, place.y + size);
    ctx.lineTo(place.x - size, place.y);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

/** Where a dot stands; one whose value is outside of the axis stands at its edge. Null outside of the window. */
export function placeOfDot(chart: uPlot, dot: ChartDot, isCanvas: boolean): { x: number; y: number } | null {
  const { min = 0, max = 0 } = chart.scales["x"] ?? {};
  const { min: low = 0, max: high = 0 } = chart.scales["y"] ?? {};
  if (dot.atS < (min ?? 0) || dot.atS > (max ?? 0)) return null;
  const value = Math.max(low ?? 0, Math.min(high ?? 0, dot.value));
  return { x: chart.valToPos(dot.atS, "x", isCanvas), y: chart.valToPos(value, "y", isCanvas) };
}

/** The observation under the pointer. */
export function nearestDot(chart: uPlot, dots: readonly ChartDot[]): ChartDot | null {
  const { left = -99, top = -99 } = chart.cursor;
  let nearest: ChartDot | null = null;
  let distance = DOT_REACH_PX;
  for (const dot of dots) {
    const place = placeOfDot(chart, dot, false);
    const away = place ? Math.hypot(place.x - left, place.y - top) : Number.POSITIVE_INFINITY;
    if (away > distance) continue;
    distance = away;
    nearest = dot;
  }
  return nearest;
}

function tooltip(latest: Latest, classes: Record<string, string | undefined>): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = classes["tooltip"] ?? "";
  box.hidden = true;
  return {
    hooks: {
      // In the page's body: a low chart or a panel would cut it off.
      init: [() => document.body.append(box)],
      destroy: [() => box.remove()],
      setCursor: [
        (chart) => {
          const { idx, left = -1 } = chart.cursor;
          // The synced charts show the crosshair only; the words stand where the pointer is.
          const isHere = chart.over.matches(":hover, [data-keys]");
          box.hidden = !isHere || left < 0 || idx === null || idx === undefined || isFar(chart, latest.current.spec, idx, left);
          if (box.hidden) return;
          fillTooltip(box, latest.current, idx as number, chart, classes);
          const place = placeTip(chart.over.getBoundingClientRect(), left, { width: box.offsetWidth, height: box.offsetHeight }, { width: window.innerWidth, height: window.innerHeight });
          box.style.transform = `translate(${place.x}px, ${place.y}px)`;
        },
      ],
    },
  };
}

interface Size {
  width: number;
  height: number;
}

/** Beside the pointer, towards the middle of the chart, and whole inside of the window. */
export function placeTip(over: { left: number; top: number; width: number }, pointer: number, tip: Size, window: Size): { x: number; y: number } {
  const x = over.left + (pointer > over.width / 2 ? pointer - tip.width - TIP_GAP_PX : pointer + TIP_GAP_PX);
  const inside = (at: number, size: number, room: number): number => Math.round(Math.max(TIP_MARGIN_PX, Math.min(at, room - size - TIP_MARGIN_PX)));
  return { x: inside(x, tip.width, window.width), y: inside(over.top + TIP_MARGIN_PX, tip.height, window.height) };
}

/** Where nothing was measured near the pointer, there is nothing to tell. */
function isFar(chart: uPlot, spec: ChartSpec, index: number, left: number): boolean {
  const away = Math.abs(chart.valToPos(spec.times[index] ?? 0, "x") - left);
  return away > FAR_PX && spec.times.length > 2;
}

function fillTooltip(box: HTMLElement, { spec, marks }: Latest["current"], index: number, chart: uPlot, classes: Record<string, string | undefined>): void {
  const seconds = spec.times[index] ?? 0;
  const shown = nearestSeries(spec, index, chart);
  const rows = shown.map((series) => {
    const row = element("div", classes["tooltipRow"]);
    const dot = element("i");
    dot.style.background = series.color;
    row.append(dot, element("span", undefined, series.label), element("b", undefined, formatUnit(series.values[index], spec.unit)));
    return row;
  });
  if (spec.isStacked) rows.reverse();
  const visible = spec.series.filter((series) => !series.isHidden).length;
  if (visible > shown.length) rows.push(element("div", classes["tooltipTime"], `and ${visible - shown.length} more`));
  const exemplar = nearestDot(chart, spec.dots ?? []);
  if (exemplar) {
    box.replaceChildren(...exemplarTip(exemplar, spec.unit, classes));
    return;
  }
  const notes = tellMarks(clustersOf(chart, marks), chart.cursor.left ?? -99).map((text) => element("div", classes["tooltipMark"], text));
  box.replaceChildren(element("div", classes["tooltipTime"], formatAbsolute(new Date(seconds * 1000))), ...rows, ...notes);
}

/** All that fit into a tip, in their order; of many, those nearest to the pointer. */
function nearestSeries(spec: ChartSpec, index: number, chart: uPlot): readonly ChartSeries[] {
  const visible = spec.series.filter((series) => !series.isHidden);
  if (visible.length <= TIP_ROWS) return visible;
  const pointer = chart.posToVal(chart.cursor.top ?? 0, "y");
  const away = (series: ChartSeries): number => Math.abs((series.values[index] ?? Number.POSITIVE_INFINITY) - pointer);
  const chosen = new Set([...visible].sort((a, b) => away(a) - away(b)).slice(0, TIP_ROWS));
  return visible.filter((series) => chosen.has(series)).sort((a, b) => (b.values[index] ?? 0) - (a.values[index] ?? 0));
}

function exemplarTip(dot: ChartDot, unit: Unit, classes: Record<string, string | undefined>): HTMLElement[] {
  const rows = [["value", formatUnit(dot.value, unit)] as const, ...dot.labels].map(([name, value]) => {
    const row = element("div", classes["tooltipRow"]);
    row.append(element("span", undefined, name), element("b", undefined, value));
    return row;
  });
  return [element("div", classes["tooltipTime"], formatAbsolute(new Date(dot.atS * 1000))), element("div", undefined, `Exemplar of ${dot.text}`), ...rows];
}

function element(tag: string, className?: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;
}

/** Puts series with their own times onto one common axis; where a series has no sample, null. */
export function align(series: readonly (readonly (readonly [number, number | null])[])[]): { times: number[]; values: (number | null)[][] } {
  const times = [...new Set(series.flatMap((points) => points.map(([time]) => time)))].sort((a, b) => a - b);
  const values = series.map((points) => {
    const known = new Map(points.map(([time, value]) => [time, value]));
    return times.map((time) => known.get(time) ?? null);
  });
  return { times, values };
}
