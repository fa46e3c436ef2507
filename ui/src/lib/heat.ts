// A heat map's cells: how many observations fell into each bucket at each step, from native histograms, from cumulated
// `le` buckets, or from plain series.
import type { HistogramValue, MatrixSeries } from "@/api/prom";
import type { Grid } from "@/api/promQueries";
import { parseValue, seriesName, splitLabels } from "./promSeries";

export interface HeatRow {
  /** The upper bound of a bucket, or the name of a series. */
  label: string;
  /** The lower bound, where it is known. */
  low: string | null;
  values: (number | null)[];
}

export interface Heat {
  times: number[];
  /** From the lowest bucket up. */
  rows: HeatRow[];
  /** The ends of the scale: zero, or the least value where some are below it. */
  min: number;
  max: number;
  isBuckets: boolean;
}

/** More rows than this are too thin to be seen: neighbouring buckets become one. */
export const MOST_ROWS = 32;

/** With a grid, steps without a value keep their place; else only the times that have one stand there. */
export function heatOf(matrix: readonly MatrixSeries[], grid?: Grid): Heat {
  const isNative = matrix.some((one) => (one.histograms ?? []).length > 0);
  const hasBounds = matrix.length > 0 && matrix.every((one) => one.metric["le"] !== undefined);
  const times = grid ? gridTimes(grid) : timesOf(matrix);
  const rows = isNative ? nativeRows(matrix, times) : hasBounds ? classicRows(matrix, times) : plainRows(matrix, times);
  const ends = rows.flatMap(({ values }) => values).reduce<[number, number]>(([low, high], value) => [Math.min(low, value ?? 0), Math.max(high, value ?? 0)], [0, 0]);
  return { times, rows, min: ends[0], max: ends[1], isBuckets: isNative || hasBounds };
}

function gridTimes({ start, end, step }: Grid): number[] {
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, at) => start + at * step);
}

function timesOf(matrix: readonly MatrixSeries[]): number[] {
  const all = matrix.flatMap(({ values = [], histograms = [] }) => [...values.filter(([, text]) => parseValue(text) !== null).map(([time]) => time), ...histograms.map(([time]) => time)]);
  return [...new Set(all)].sort((a, b) => a - b);
}

function plainRows(matrix: readonly MatrixSeries[], times: readonly number[]): HeatRow[] {
  const { varying } = splitLabels(matrix.map(({ metric }) => metric));
  const nameOf = (metric: MatrixSeries["metric"]): string => (matrix.length > 1 ? varying.map((name) => metric[name] ?? "–").join(", ") : seriesName(metric));
  return [...sumsBy(matrix, nameOf)].map(([label, sums]) => ({ label, low: null, values: times.map((time) => sums.get(time) ?? null) }));
}

/** Buckets are cumulated: what is in one is what it has more than the one below. */
function classicRows(matrix: readonly MatrixSeries[], times: readonly number[]): HeatRow[] {
  const sums = sumsBy(matrix, (metric) => metric["le"] ?? "");
  const labels = [...sums.keys()].sort((a, b) => boundOf(a) - boundOf(b));
  return labels.map((label, at) => {
    const low = labels[at - 1] ?? null;
    const below = low === null ? undefined : sums.get(low);
    return { label, low, values: times.map((time) => difference(sums.get(label)?.get(time), below?.get(time))) };
  });
}

function sumsBy(matrix: readonly MatrixSeries[], nameOf: (metric: MatrixSeries["metric"]) => string): Map<string, Map<number, number>> {
  const sums = new Map<string, Map<number, number>>();
  for (const { metric, values = [] } of matrix) {
    const row = sums.get(nameOf(metric)) ?? new Map<number, number>();
    for (const [time, text] of values) {
      const value = parseValue(text);
      if (value !== null) row.set(time, (row.get(time) ?? 0) + value);
    }
    sums.set(nameOf(metric), row);
  }
  return sums;
}

interface Bucket {
  low: number;
  high: number;
  count: number;
}

/** Histograms of several resolutions are laid onto common bounds; a bucket wider than a row is shared out among rows. */
function nativeRows(matrix: readonly MatrixSeries[], times: readonly number[]): HeatRow[] {
  const place = new Map(times.map((time, at) => [time, at]));
  const found = matrix.flatMap(({ histograms = [] }) => histograms.map(([time, value]) => ({ at: place.get(time), buckets: bucketsOf(value) })));
  const edges = thin([...new Set(found.flatMap(({ buckets }) => buckets.flatMap(({ low, high }) => [low, high])))].sort((a, b) => a - b));
  const rows = edges.slice(1).map((high, at): HeatRow & { from: number; to: number } => ({ label: textOf(high), low: textOf(edges[at] ?? 0), values: times.map(() => null), from: edges[at] ?? 0, to: high }));
  for (const { at, buckets } of found) {
    if (at === undefined) continue;
    for (const row of rows) row.values[at] ??= 0;
    for (const bucket of buckets) {
      for (const row of rows) {
        const share = shareIn(bucket, row.from, row.to);
        if (share > 0) row.values[at] = (row.values[at] ?? 0) + share * bucket.count;
      }
    }
  }
  return rows.map(({ label, low, values }) => ({ label, low, values }));
}

function bucketsOf({ buckets = [] }: HistogramValue): Bucket[] {
  return buckets.map(([, low, high, count]) => ({ low: boundOf(low), high: boundOf(high), count: Math.max(0, parseValue(count) ?? 0) })).filter(({ low, high, count }) => high > low && count > 0);
}

/** Leaves out bounds, evenly, until few enough rows are left; the first and the last one stay. */
function thin(edges: readonly number[]): number[] {
  const every = Math.ceil((edges.length - 1) / MOST_ROWS);
  return edges.filter((_, at) => at % every === 0 || at === edges.length - 1);
}

function shareIn({ low, high }: Bucket, from: number, to: number): number {
  const [begin, end] = [Math.max(low, from), Math.min(high, to)];
  if (end <= begin) return 0;
  if (begin === low && end === high) return 1;
  const width = widthOf(low, high);
  // Nobody knows where in an endless bucket something fell: its endless row has all of it.
  return Number.isFinite(width) ? widthOf(begin, end) / width : Number.isFinite(widthOf(begin, end)) ? 0 : 1;
}

/** Buckets of histograms grow by factors: within one, observations are taken to lie evenly on a logarithmic scale. */
function widthOf(low: number, high: number): number {
  return low > 0 ? Math.log(high / low) : high < 0 ? Math.log(low / high) : high - low;
}

function boundOf(text: string): number {
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

function textOf(bound: number): string {
  return bound === Number.POSITIVE_INFINITY ? "+Inf" : bound === Number.NEGATIVE_INFINITY ? "-Inf" : String(bound);
}

function difference(value: number | undefined, below: number | undefined): number | null {
  return value === undefined ? null : Math.max(0, value - (below ?? 0));
}

/** Whether a query asks for counts as they have cumulated, which only become darker. */
export function isCumulated(expr: string): boolean {
  return !/\b(?:i?rate|increase|i?delta|deriv)\s*\(/.test(expr);
}
