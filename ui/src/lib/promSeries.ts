// Turns answers of the Prometheus API into curves and rows: names of series, numbers, one common axis.
import { isPlainMetric, labelName } from "./cardinality";
import type { ExemplarSeries, MatrixSeries, Metric, Result, VectorSeries } from "@/api/prom";
import type { ChartDot, ChartSeries } from "./chart";
import { groupBy } from "./group";
import { seriesColor } from "./seriesColor";

/** `name{a="1", b="2"}`, as one would write the selector. */
export function seriesName(metric: Metric): string {
  const { __name__: name = "", ...labels } = metric;
  const isPlain = name === "" || isPlainMetric(name);
  const inner = [...(isPlain ? [] : [JSON.stringify(name)]), ...Object.entries(labels).map(([key, value]) => `${labelName(key)}=${quoted(value)}`)];
  return inner.length > 0 ? `${isPlain ? name : ""}{${inner.join(", ")}}` : name || "{}";
}

/** Letters that turn the direction of what follows are written out, as PromQL reads them: they would turn the rest of the line. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A legend of one's own: `{{method}} at {{instance}}`. */
export function legendName(template: string, metric: Metric): string {
  if (!template) return seriesName(metric);
  return template.replace(/\{\{\s*([^}\s]+)\s*\}\}/g, (_, label: string) => metric[label] ?? "");
}

/** Labels that are the same in every series, and those that tell the series apart. */
export function splitLabels(metrics: readonly Metric[]): { shared: Metric; varying: string[] } {
  const names = [...new Set(metrics.flatMap((metric) => Object.keys(metric)))];
  const shared: Metric = {};
  const varying: string[] = [];
  for (const name of names) {
    const first = metrics[0]?.[name];
    if (metrics.length > 1 && first !== undefined && metrics.every((metric) => metric[name] === first)) shared[name] = first;
    else varying.push(name);
  }
  return { shared, varying };
}

export function parseValue(text: string | undefined): number | null {
  const value = Number(text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : text);
  return text !== undefined && Number.isFinite(value) ? value : null;
}

/** The series of a range query, also of a scalar; strings have none. */
export function matrixOf(result: Result): MatrixSeries[] {
  if (result.resultType === "matrix") return result.result;
  if (result.resultType === "vector") return result.result.map(({ metric, value }) => ({ metric, values: value ? [value] : [] }));
  return result.resultType === "scalar" ? [{ metric: {}, values: [result.result] }] : [];
}

/** The rows of an instant query. */
export function vectorOf(result: Result): VectorSeries[] {
  if (result.resultType === "vector") return result.result;
  if (result.resultType === "matrix") return result.result.map(({ metric, values }) => ({ metric, ...(values?.length ? { value: values[values.length - 1] as [number, string] } : {}) }));
  return [{ metric: {}, value: result.result }];
}

/** The labels of all series of an answer. */
export function metricsOf(result: Result): Metric[] {
  return result.resultType === "matrix" || result.resultType === "vector" ? result.result.map(({ metric }) => metric) : [];
}

export interface Curve extends ChartSeries {
  /** Which of the queries it belongs to. */
  query: number;
  metric: Metric;
}

export interface Drawn {
  times: number[];
  series: Curve[];
}

export interface Part {
  query: number;
  matrix: readonly MatrixSeries[];
  label: (metric: Metric) => string;
  /** Added to each time, so that last week's curve lies on this week's. */
  shiftS?: number;
  isDashed?: boolean;
}

/** Puts the parts on one axis. A series and what it was last week have one colour. */
export function drawParts(parts: readonly Part[], most: number): Drawn {
  const chosen = parts.map((part) => ({ ...part, matrix: part.matrix.slice(0, most) }));
  const times = [...new Set(chosen.flatMap(({ matrix, shiftS = 0 }) => matrix.flatMap((one) => timesOf(one).map((time) => time + shiftS))))].sort((a, b) => a - b);
  const place = new Map(times.map((time, index) => [time, index]));
  const colors = new Map<string, string>();
  const series = chosen.flatMap(({ query, matrix, label, shiftS = 0, isDashed = false }) =>
    matrix.map((one): Curve => {
      const key = `${query}/${seriesName(one.metric)}`;
      const color = colors.get(key) ?? seriesColor(colors.size);
      colors.set(key, color);
      const values = new Array<number | null>(times.length).fill(null);
      for (const [time, value] of pointsOf(one)) values[place.get(time + shiftS) ?? -1] = value;
      return { query, metric: one.metric, label: label(one.metric), color, values, ...(isDashed ? { isDashed } : {}) };
    }),
  );
  return { times, series };
}

function timesOf(one: MatrixSeries): number[] {
  return pointsOf(one).map(([time]) => time);
}

/** A histogram is drawn as its mean, where nothing else is asked for. */
function pointsOf(one: MatrixSeries): [number, number | null][] {
  const floats = (one.values ?? []).map(([time, text]): [number, number | null] => [time, parseValue(text)]);
  const means = (one.histograms ?? []).map(([time, { sum, count }]): [number, number | null] => [time, Number(count) > 0 ? (parseValue(sum) ?? 0) / Number(count) : null]);
  return means.length > 0 ? [...floats, ...means].sort((a, b) => a[0] - b[0]) : floats;
}

export interface Summary {
  last: number | null;
  min: number | null;
  max: number | null;
}

export function summarize(values: readonly (number | null)[]): Summary {
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  for (const value of values) {
    if (value === null) continue;
    last = value;
    min = min === null || value < min ? value : min;
    max = max === null || value > max ? value : max;
  }
  return { last, min, max };
}

export interface Dots {
  dots: readonly ChartDot[];
  /** How many there are, with those that are not drawn. */
  count: number;
}

const MOST_DOTS = 400;
const STRETCHES = 40;

/** Exemplars as dots. Of too many, each stretch of time keeps its share, from its highest one down to its lowest. */
export function dotsOf(found: readonly ExemplarSeries[], most = MOST_DOTS): Dots {
  const all = uniqueDots(
    found.flatMap(({ seriesLabels, exemplars }) =>
      exemplars.map(({ labels, value, timestamp }): ChartDot => ({
        atS: timestamp,
        value: parseValue(value) ?? 0,
        text: `${seriesLabels["__name__"] ?? "exemplar"}`,
        labels: Object.entries(labels),
      })),
    ),
  ).sort((a, b) => a.atS - b.atS);
  return { dots: all.length > most ? thinDots(all, most) : all, count: all.length };
}

function thinDots(dots: readonly ChartDot[], most: number): ChartDot[] {
  const [from, to] = [dots[0]?.atS ?? 0, dots.at(-1)?.atS ?? 0];
  const stretches = groupBy(dots, ({ atS }) => Math.min(STRETCHES - 1, Math.floor((STRETCHES * (atS - from)) / (to - from || 1))));
  const share = Math.floor(most / STRETCHES);
  return [...stretches.values()].flatMap((some) => {
    const high = [...some].sort((a, b) => b.value - a.value);
    const step = (high.length - 1) / (share - 1);
    return high.length <= share ? some : Array.from({ length: share }, (_, at) => high[Math.round(at * step)] as ChartDot);
  });
}

/** The same exemplar belongs to several buckets of a histogram; one dot is enough. */
function uniqueDots(dots: readonly ChartDot[]): ChartDot[] {
  const seen = new Set<string>();
  return dots.filter((dot) => {
    const key = `${dot.atS}/${dot.value}/${dot.labels.join()}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}
