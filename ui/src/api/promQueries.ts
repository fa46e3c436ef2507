// What the pages ask about metrics. Keys: ["metrics","range"|"instant"|"exemplars",...], ["metrics","names"], ...
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { medianGap } from "@/lib/promql";
import { rangeKey, resolveRange, spanSeconds, type TimeRange } from "@/lib/timerange";
import { type Answer, ask, type ExemplarSeries, type Metadata, type Metric, type Result } from "./prom";

const FOLLOW_MS = 15_000;
const NAMES_LIMIT = 20_000;

/** Grid of a query: seconds since the epoch on whole steps, so that a curve stays where it is while the window moves on. */
export interface Grid {
  start: number;
  end: number;
  step: number;
}

export function gridOf(range: TimeRange, step: number, now = new Date()): Grid {
  const { start, end } = resolveRange(range, now);
  return { start: Math.floor(start.getTime() / 1000 / step) * step, end: Math.floor(end.getTime() / 1000 / step) * step, step };
}

/** A step that gives about `points` points, on a round number of seconds, never below one second. */
export function stepOf(range: TimeRange, points = 240): number {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
  const span = spanSeconds(range);
  return steps.find((step) => span / step <= points) ?? Math.ceil(span / points / 86_400) * 86_400;
}

export interface RangeWish {
  expr: string;
  range: TimeRange;
  step: number;
  /** Looks so many seconds further back, and draws it as if it were now. */
  backS?: number;
}

export const rangeQuery = ({ expr, range, step, backS = 0 }: RangeWish) =>
  queryOptions({
    queryKey: ["metrics", "range", expr, rangeKey(range), step, backS],
    queryFn: async ({ signal }): Promise<Answer & { grid: Grid }> => {
      const grid = gridOf(range, step);
      const answer = await ask<Result>("/query_range", { query: expr, start: grid.start - backS, end: grid.end - backS, step, stats: "all" }, signal);
      return { ...answer, grid };
    },
    refetchInterval: range.kind === "preset" ? Math.max(FOLLOW_MS, step * 500) : false,
    placeholderData: (previous, before) => (before?.queryKey[2] === expr ? previous : undefined),
  });

export const instantQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["metrics", "instant", expr, range.kind === "fixed" ? range.to.toISOString() : "now"],
    queryFn: ({ signal }) => ask<Result>("/query", { query: expr, time: range.kind === "fixed" ? range.to.toISOString() : undefined, stats: "all" }, signal),
    refetchInterval: range.kind === "preset" ? FOLLOW_MS : false,
    placeholderData: (previous, before) => (before?.queryKey[2] === expr ? previous : undefined),
  });

export const exemplarsQuery = (expr: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["metrics", "exemplars", expr, rangeKey(range)],
    queryFn: async ({ signal }) => {
      const { start, end } = resolveRange(range, new Date());
      return (await ask<ExemplarSeries[]>("/query_exemplars", { query: expr, start: start.toISOString(), end: end.toISOString() }, signal)).data;
    },
    refetchInterval: range.kind === "preset" ? FOLLOW_MS * 2 : false,
    placeholderData: keepPreviousData,
  });

export const metricNamesQuery = queryOptions({
  queryKey: ["metrics", "names"],
  queryFn: ({ signal }) => ask<string[]>("/label/__name__/values", { limit: NAMES_LIMIT }, signal),
  staleTime: 60_000,
});

export const metadataQuery = queryOptions({
  queryKey: ["metrics", "metadata"],
  queryFn: async ({ signal }) => (await ask<Record<string, Metadata[]>>("/metadata", { limit_per_metric: 1 }, signal)).data,
  staleTime: 60_000,
});

export const labelNamesQuery = (match: string) =>
  queryOptions({
    queryKey: ["metrics", "labels", match],
    queryFn: async ({ signal }) => (await ask<string[]>("/labels", match ? { "match[]": match } : {}, signal)).data,
    staleTime: 60_000,
  });

export const labelValuesQuery = (label: string, match: string) =>
  queryOptions({
    queryKey: ["metrics", "values", label, match],
    queryFn: async ({ signal }) => (await ask<string[]>(`/label/${encodeURIComponent(label)}/values`, { limit: 10_000, ...(match ? { "match[]": match } : {}) }, signal)).data,
    staleTime: 60_000,
  });

export const seriesQuery = (match: string) =>
  queryOptions({
    queryKey: ["metrics", "series", match],
    queryFn: async ({ signal }) => (await ask<Metric[]>("/series", { "match[]": match, limit: 10_000 }, signal)).data,
    staleTime: 60_000,
  });

/** How far apart the samples of a selector are, in seconds, as the last minutes of one series say; null where they say nothing. */
export const intervalQuery = (selector: string) =>
  queryOptions({
    queryKey: ["metrics", "interval", selector],
    queryFn: async ({ signal }) => {
      const { data } = await ask<Result>("/query", { query: `${selector}[5m]`, limit: 1 }, signal);
      return data.resultType === "matrix" ? medianGap((data.result[0]?.values ?? []).map(([time]) => time)) : null;
    },
    staleTime: 300_000,
    retry: false,
  });
