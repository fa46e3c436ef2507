// Where series come from and who is scraped. Keys: ["cardinality",...], ["targets",...].
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { rangeKey, type TimeRange } from "@/lib/timerange";
import { get } from "./client";
import { ask } from "./prom";
import { gridOf, stepOf } from "./promQueries";
import type { Cardinality, MetricMakeup, SeriesGrowth, Targets } from "./types";

export const cardinalityQuery = (top: number) =>
  queryOptions({
    queryKey: ["cardinality", "report", top],
    queryFn: ({ signal }) => get<Cardinality>("/metrics/cardinality", { top }, signal),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });

/** Series over the time range: all of them, or those of one metric. */
export const growthQuery = (range: TimeRange, metric = "") =>
  queryOptions({
    queryKey: ["cardinality", "growth", rangeKey(range), metric],
    queryFn: ({ signal }) => {
      const step = Math.max(10, stepOf(range, 120));
      const { start, end } = gridOf(range, step);
      return get<SeriesGrowth>("/metrics/cardinality/growth", { start: new Date(start * 1000).toISOString(), end: new Date(end * 1000).toISOString(), step_s: step, metric: metric || undefined }, signal);
    },
    refetchInterval: range.kind === "preset" ? 60_000 : false,
    placeholderData: (previous, before) => (before?.queryKey[3] === metric ? previous : undefined),
  });

export const makeupQuery = (metric: string) =>
  queryOptions({
    queryKey: ["cardinality", "makeup", metric],
    queryFn: ({ signal }) => get<MetricMakeup>("/metrics/cardinality/makeup", { metric }, signal),
  });

export const targetsQuery = queryOptions({
  queryKey: ["targets", "list"],
  queryFn: ({ signal }) => get<Targets>("/metrics/targets", undefined, signal),
  refetchInterval: 10_000,
});

export interface RelabelStep {
  rule: Record<string, unknown>;
  output: Record<string, string>;
  keep: boolean;
}

/** What each relabelling rule of a job makes of what discovery found. */
export const relabelQuery = (pool: string, labels: Record<string, string>) =>
  queryOptions({
    queryKey: ["targets", "steps", pool, labels],
    queryFn: async ({ signal }) => (await ask<{ steps: RelabelStep[] }>("/targets/relabel_steps", { scrapePool: pool, labels: JSON.stringify(labels) }, signal)).data.steps,
    staleTime: 60_000,
  });
