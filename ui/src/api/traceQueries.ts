// What the pages ask about traces. Keys: ["traces","search"|"services"|"operations",...], ["trace", id, ...]
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { rangeKey, resolveRange, type TimeRange } from "@/lib/timerange";
import { isDuration, parseAttributes, type Part, traceLogQuery, type TraceWish } from "@/lib/traces/search";
import { ApiError, queryString, send } from "./client";
import { listOperations, listServices, readSpan, readTrace, searchTraces } from "./traces";

const FOLLOW_MS = 15_000;
const LOGS_LIMIT = 500;
/** Logs of a trace may be written a while before and after its spans. */
const AROUND_MS = 60_000;

export const isAskable = (wish: TraceWish): boolean => parseAttributes(wish.attributes) !== null && isDuration(wish.min) && isDuration(wish.max);

/** Traces of a range, or of the part of it that was chosen; `hasSingles`: also those of a single span. */
export const traceSearchQuery = (wish: TraceWish, range: TimeRange, { part, hasSingles }: { part: Part | null; hasSingles: boolean }) =>
  queryOptions({
    queryKey: ["traces", "search", wish, rangeKey(range), part, hasSingles],
    queryFn: ({ signal }) => {
      const { start, end } = part ? { start: new Date(part.fromMs), end: new Date(part.toMs) } : resolveRange(range, new Date());
      return searchTraces({ wish, start, end, isWithoutSingles: !hasSingles }, signal);
    },
    enabled: isAskable(wish),
    refetchInterval: range.kind === "preset" ? FOLLOW_MS : false,
    placeholderData: keepPreviousData,
  });

export const traceServicesQuery = queryOptions({
  queryKey: ["traces", "services"],
  queryFn: ({ signal }) => listServices(signal),
  staleTime: FOLLOW_MS,
});

export const traceOperationsQuery = (service: string) =>
  queryOptions({
    queryKey: ["traces", "operations", service],
    queryFn: ({ signal }) => listOperations(service, signal),
    enabled: service !== "",
    staleTime: FOLLOW_MS,
  });

export const traceQuery = (id: string) =>
  queryOptions({
    queryKey: ["trace", id],
    queryFn: ({ signal }) => readTrace(id, signal),
    staleTime: 60_000,
    structuralSharing: false,
  });

export const spanQuery = (trace: string, span: string) =>
  queryOptions({
    queryKey: ["trace", trace, "span", span],
    queryFn: ({ signal }) => readSpan(trace, span, signal),
    enabled: span !== "",
    staleTime: 60_000,
  });

export interface TraceLine {
  /** Microseconds since 1970. */
  atUs: number;
  service: string;
  level: string;
  text: string;
  spanId: string;
}

/** The lines that carry the id of a trace, oldest first. */
export const traceLogsQuery = (id: string, beganUs: number, durationUs: number) =>
  queryOptions({
    queryKey: ["trace", id, "logs"],
    queryFn: async ({ signal }): Promise<TraceLine[]> => {
      const [start, end] = [beganUs / 1000 - AROUND_MS, (beganUs + durationUs) / 1000 + AROUND_MS];
      const params = { query: traceLogQuery(id), start: new Date(start).toISOString(), end: new Date(end).toISOString(), limit: LOGS_LIMIT, direction: "forward" };
      const response = await send("GET", `/loki/api/v1/query_range${queryString(params)}`, { signal });
      const text = await response.text();
      if (!response.ok) throw new ApiError({ title: "The logs cannot be read", status: response.status, detail: text.slice(0, 300) });
      return linesOf(JSON.parse(text) as LokiAnswer);
    },
    staleTime: 30_000,
  });

interface LokiAnswer {
  data: { result: { stream: Record<string, string>; values: [ns: string, text: string, apart?: { structuredMetadata?: Record<string, string> }][] }[] };
}

export function linesOf(answer: LokiAnswer): TraceLine[] {
  return answer.data.result
    .flatMap(({ stream, values }) =>
      values.map(([ns, text, apart]) => {
        const fields = { ...stream, ...apart?.structuredMetadata };
        return { atUs: Number(BigInt(ns) / 1000n), service: fields["service_name"] ?? "", level: fields["detected_level"] ?? fields["level"] ?? "", text, spanId: fields["span_id"] ?? "" };
      }),
    )
    .sort((a, b) => a.atUs - b.atUs);
}
