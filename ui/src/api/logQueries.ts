// What the pages ask about logs. Keys: ["logs","lines"|"count"|"numbers"|...].
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type LogLine, type LogPattern, type LogStream, linesOf } from "@/lib/logs";
import { countByLevel } from "@/lib/logql";
import { rangeKey, resolveRange, spanSeconds, type TimeRange } from "@/lib/timerange";
import { askData, askLoki } from "./loki";
import type { MatrixSeries, Metric, Result, VectorSeries } from "./prom";
import { type Grid, stepOf } from "./promQueries";

export const PAGE_LINES = 500;
const BARS = 90;
const FOLLOW_MS = 10_000;
const MONTH_S = 2_592_000;

export interface LinesWish {
  expr: string;
  startNs: bigint;
  /** Not included. */
  endNs: bigint;
  isNewestFirst: boolean;
  limit?: number;
}

export interface LinesPage {
  lines: LogLine[];
  wish: LinesWish;
  cost: QueryCost;
}

export interface QueryCost {
  lines: number;
  bytes: number;
  seconds: number;
}

interface Summary {
  totalLinesProcessed?: number;
  totalBytesProcessed?: number;
  execTime?: number;
}

export async function fetchLines(wish: LinesWish, signal?: AbortSignal): Promise<LinesPage> {
  const data = await askData<{ result: LogStream[]; stats?: { summary?: Summary } }>(
    "/query_range",
    { query: wish.expr, start: String(wish.startNs), end: String(wish.endNs), direction: wish.isNewestFirst ? "backward" : "forward", limit: wish.limit ?? PAGE_LINES },
    signal,
  );
  const sign = wish.isNewestFirst ? -1 : 1;
  const lines = linesOf(data.result).sort((a, b) => (a.ns === b.ns ? 0 : a.ns < b.ns ? -sign : sign));
  const { totalLinesProcessed = 0, totalBytesProcessed = 0, execTime = 0 } = data.stats?.summary ?? {};
  return { lines, wish, cost: { lines: totalLinesProcessed, bytes: totalBytesProcessed, seconds: execTime } };
}

/** Whole steps that hold the range, so that bars stay where they are while the window moves on. */
export function barGrid(range: TimeRange, now = new Date()): Grid {
  const step = stepOf(range, BARS);
  const { start, end } = resolveRange(range, now);
  return { start: Math.floor(start.getTime() / 1000 / step) * step, end: Math.ceil(end.getTime() / 1000 / step) * step, step };
}

export const countQuery = (expr: string, range: TimeRange, isLive: boolean) =>
  queryOptions({
    queryKey: ["logs", "count", expr, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const grid = barGrid(range);
      const { result } = await askData<{ result: MatrixSeries[] }>("/query_range", { query: countByLevel(expr, grid.step), start: grid.start + grid.step, end: grid.end, step: grid.step }, signal);
      return { grid, result };
    },
    refetchInterval: isLive ? FOLLOW_MS : false,
    placeholderData: (previous, before) => (before?.queryKey[2] === expr ? previous : undefined),
  });

export const numbersQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "numbers", expr, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const step = stepOf(range);
      const { start, end } = resolveRange(range, new Date());
      const floor = (date: Date): number => Math.floor(date.getTime() / 1000 / step) * step;
      return askData<Result>("/query_range", { query: expr, start: floor(start), end: floor(end), step }, signal);
    },
    placeholderData: (previous, before) => (before?.queryKey[2] === expr ? previous : undefined),
  });

export interface Counted {
  metric: Metric;
  count: number;
}

/** The numbers of an instant query at the end of the range, greatest first. */
export const rankQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "rank", expr, rangeKey(range)],
    queryFn: async ({ signal }): Promise<Counted[]> => {
      const { end } = resolveRange(range, new Date());
      const { result } = await askData<{ result: VectorSeries[] }>("/query", { query: expr, time: String(BigInt(end.getTime()) * 1_000_000n) }, signal);
      return counted(result);
    },
    staleTime: 15_000,
  });

function counted(rows: readonly VectorSeries[]): Counted[] {
  return rows.map(({ metric, value }) => ({ metric, count: Number(value?.[1] ?? 0) })).sort((a, b) => b.count - a.count);
}

/** Bytes that came in the range, by service. */
export const volumeQuery = (range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "volume", rangeKey(range)],
    queryFn: async ({ signal }): Promise<Counted[]> => {
      const { start, end } = resolveRange(range, new Date());
      const { result } = await askData<{ result: VectorSeries[] }>("/index/volume", { query: '{service_name=~".+"}', ...secondsOf(start, end), limit: 100 }, signal);
      return counted(result);
    },
    placeholderData: keepPreviousData,
  });

export interface DetectedField {
  label: string;
  type: string;
  cardinality: number;
  parsers: string[] | null;
}

export const fieldsQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "fields", expr, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const { start, end } = resolveRange(range, new Date());
      return (await askLoki<{ fields: DetectedField[] | null }>("/detected_fields", { query: expr, ...secondsOf(start, end), limit: 500 }, signal)).fields ?? [];
    },
    placeholderData: (previous, before) => (before?.queryKey[2] === expr ? previous : undefined),
    staleTime: 15_000,
  });

export const detectedLabelsQuery = (selector: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "detected-labels", selector, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const { start, end } = resolveRange(range, new Date());
      return (await askLoki<{ detectedLabels: { label: string; cardinality: number }[] | null }>("/detected_labels", { query: selector, ...secondsOf(start, end) }, signal)).detectedLabels ?? [];
    },
    staleTime: 15_000,
  });

export const patternsQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["logs", "patterns", expr, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const { start, end } = resolveRange(range, new Date());
      return askData<LogPattern[]>("/patterns", { query: expr, ...secondsOf(start, end), step: `${Math.max(10, Math.round(spanSeconds(range) / BARS))}s` }, signal);
    },
    retry: false,
    staleTime: 15_000,
  });

export const logLabelNamesQuery = queryOptions({
  queryKey: ["logs", "labels"],
  queryFn: ({ signal }) => askData<string[]>("/labels", monthBack(), signal),
  staleTime: 60_000,
});

export const logLabelValuesQuery = (label: string, selector = "") =>
  queryOptions({
    queryKey: ["logs", "values", label, selector],
    queryFn: ({ signal }) => askData<string[]>(`/label/${encodeURIComponent(label)}/values`, { ...monthBack(), ...(selector ? { query: selector } : {}) }, signal),
    staleTime: 60_000,
  });

function secondsOf(start: Date, end: Date): { start: string; end: string } {
  return { start: (start.getTime() / 1000).toFixed(3), end: (end.getTime() / 1000).toFixed(3) };
}

function monthBack(): { start: string } {
  return { start: String(Math.floor(Date.now() / 1000) - MONTH_S) };
}
