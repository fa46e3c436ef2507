// What the pages ask about many traces together. Keys: ["traces","latency"|"groups"|"compare"|"map",...]
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { rangeKey, resolveRange, type TimeRange } from "@/lib/timerange";
import { type Part, selectionOf, type TraceWish, withRoots } from "@/lib/traces/search";
import { get, LONG_MS, post } from "./client";
import { isAskable } from "./traceQueries";
import type { Comparison, Selection, SpanGroups, TraceLatency, TraceMap } from "./types";

const FOLLOW_MS = 15_000;
/** A map of a week ago does not change within a minute. */
const MAP_MS = 60_000;
const COLUMNS = 72;

export type GroupKind = "failed" | "slow";

function timeOf(range: TimeRange, shiftMs = 0): { start: string; end: string } {
  const { start, end } = resolveRange(range, new Date());
  return { start: new Date(start.getTime() - shiftMs).toISOString(), end: new Date(end.getTime() - shiftMs).toISOString() };
}

/** Durations of all that a search is about, whatever part of them it chooses; `hasSingles`: also of traces of one span. */
export const latencyQuery = (wish: TraceWish, range: TimeRange, hasSingles = true) => {
  const wide = withRoots({ ...wish, min: "", max: "" });
  return queryOptions({
    queryKey: ["traces", "latency", selectionOf(wide), rangeKey(range), hasSingles],
    queryFn: ({ signal }) => get<TraceLatency>("/traces/latency", { ...selectionOf(wide), ...timeOf(range), columns: COLUMNS, singles: hasSingles }, signal, LONG_MS),
    enabled: isAskable(wish),
    refetchInterval: range.kind === "preset" ? FOLLOW_MS : false,
    placeholderData: keepPreviousData,
  });
};

export const groupsQuery = (of: GroupKind, wish: TraceWish, range: TimeRange) =>
  queryOptions({
    queryKey: ["traces", "groups", of, selectionOf(wish), rangeKey(range)],
    queryFn: ({ signal }) => get<SpanGroups>("/traces/groups", { ...selectionOf(wish), ...timeOf(range), of }, signal, LONG_MS),
    enabled: isAskable(wish),
    refetchInterval: range.kind === "preset" ? MAP_MS : false,
    placeholderData: keepPreviousData,
  });

/** With what a search is compared: the rest at the same time, itself some days before, or another search. */
export type Beside = { kind: "rest" } | { kind: "ago"; days: number } | { kind: "other"; wish: TraceWish };

const DAY_MS = 86_400_000;

export const comparisonQuery = (wish: TraceWish, beside: Beside, range: TimeRange, part: Part | null) =>
  queryOptions({
    queryKey: ["traces", "compare", selectionOf(wish), beside, rangeKey(range), part],
    queryFn: () => {
      const time = part ? { start: new Date(part.fromMs).toISOString(), end: new Date(part.toMs).toISOString() } : timeOf(range);
      return post<Comparison>("/traces/compare", { chosen: { ...selectionOf(wish), ...time }, others: othersOf(wish, beside, range, part) }, LONG_MS);
    },
    enabled: isAskable(wish) && (beside.kind !== "other" || isAskable(beside.wish)),
    placeholderData: keepPreviousData,
  });

function othersOf(wish: TraceWish, beside: Beside, range: TimeRange, part: Part | null): Selection {
  if (beside.kind === "other") return { ...selectionOf(beside.wish), ...timeOf(range) };
  if (beside.kind === "rest") return { ...selectionOf({ ...wish, attributes: "", min: "", max: "", status: "" }), ...timeOf(range) };
  const shift = beside.days * DAY_MS;
  const time = part ? { start: new Date(part.fromMs - shift).toISOString(), end: new Date(part.toMs - shift).toISOString() } : timeOf(range, shift);
  return { ...selectionOf(wish), ...time };
}

export const traceMapQuery = (range: TimeRange, against: string) =>
  queryOptions({
    queryKey: ["traces", "map", rangeKey(range), against],
    queryFn: ({ signal }) => get<TraceMap>("/traces/map", { ...timeOf(range), against }, signal, LONG_MS),
    refetchInterval: range.kind === "preset" ? MAP_MS : false,
    placeholderData: keepPreviousData,
  });
