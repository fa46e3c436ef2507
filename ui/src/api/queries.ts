// What the pages ask the server, each as a query with its key. Keys are hierarchical so that live events hit exactly
// what they change: ["checks","list"], ["checks","one",name,...], ["services",...], ["host",...], ["events",...].
import { keepPreviousData, queryOptions, type QueryKey } from "@tanstack/react-query";
import { rangeKey, resolveRange, roundStep, spanSeconds, type TimeRange } from "@/lib/timerange";
import { ApiError, get, type Params } from "./client";
import type * as Api from "./types";

/** Results are not events (only transitions are), so lists refresh at the pace at which people look. */
const LIST_EVERY_MS = 10_000;
const SERIES_EVERY_MS = 15_000;
/** The server caps a page; a console that shows more rows than this would help nobody. */
const LIST_LIMIT = 1_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Api.Session | null> => {
    try {
      return await get<Api.Session>("/session", undefined, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => get<{ required: boolean }>("/setup", undefined, signal),
  staleTime: 10_000,
});

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => get<Api.Status>("/status", undefined, signal),
  refetchInterval: 30_000,
});

export const checksQuery = queryOptions({
  queryKey: ["checks", "list"],
  queryFn: ({ signal }) => all<Api.CheckSummary>("/checks", {}, signal),
  // Four kilobytes a check: with thousands of them the list comes less often, and live events carry the turns.
  refetchInterval: (query) => Math.max(LIST_EVERY_MS, (query.state.data?.length ?? 0) * 15),
});

/** Only the checks that are not well: what the navigation counts on every page. */
export const sickChecksQuery = queryOptions({
  queryKey: ["checks", "sick"],
  queryFn: ({ signal }) => all<Api.CheckSummary>("/checks", { verdict: ["down", "degraded"] }, signal),
  refetchInterval: LIST_EVERY_MS,
});

export const checkQuery = (name: string) =>
  queryOptions({
    queryKey: ["checks", "one", name],
    queryFn: ({ signal }) => get<Api.CheckDetail>(`/checks/${encodeURIComponent(name)}`, undefined, signal),
    refetchInterval: LIST_EVERY_MS,
  });

export const historyQuery = (name: string, range: TimeRange, verdict: readonly Api.Verdict[]) =>
  queryOptions({
    queryKey: ["checks", "one", name, "history", rangeKey(range), verdict],
    queryFn: ({ signal }) =>
      get<Api.Page<Api.CheckResult>>(
        `/checks/${encodeURIComponent(name)}/history`,
        { ...bounds(range), limit: 100, verdict },
        signal,
      ),
    refetchInterval: follows(range, LIST_EVERY_MS),
    placeholderData: (previous, query) => sameName(name, previous, query),
  });

export const latencyQuery = (name: string, range: TimeRange) =>
  queryOptions({
    queryKey: ["checks", "one", name, "latency", rangeKey(range)],
    queryFn: ({ signal }) =>
      get<Api.Latency>(
        `/checks/${encodeURIComponent(name)}/latency`,
        latencyWindow(range),
        signal,
      ),
    refetchInterval: follows(range, SERIES_EVERY_MS),
    placeholderData: (previous, query) => sameName(name, previous, query),
  });

export const uptimeQuery = (name: string, range: TimeRange, buckets: number) =>
  queryOptions({
    queryKey: ["checks", "one", name, "uptime", rangeKey(range), buckets],
    queryFn: ({ signal }) =>
      get<Api.Uptime>(`/checks/${encodeURIComponent(name)}/uptime`, uptimeWindow(range, buckets), signal),
    refetchInterval: follows(range, SERIES_EVERY_MS),
    placeholderData: (previous, query) => sameName(name, previous, query),
  });

export const servicesQuery = queryOptions({
  queryKey: ["services", "list"],
  queryFn: ({ signal }) => all<Api.ServiceSummary>("/services", {}, signal),
  refetchInterval: LIST_EVERY_MS,
});

export const serviceQuery = (name: string) =>
  queryOptions({
    queryKey: ["services", "one", name],
    queryFn: ({ signal }) => get<Api.ServiceDetail>(`/services/${encodeURIComponent(name)}`, undefined, signal),
    refetchInterval: LIST_EVERY_MS,
  });

export const serviceGraphQuery = queryOptions({
  queryKey: ["services", "graph"],
  queryFn: ({ signal }) => get<Api.ServiceGraph>("/services/graph", undefined, signal),
  refetchInterval: 30_000,
});

export const hostQuery = queryOptions({
  queryKey: ["host", "now"],
  queryFn: ({ signal }) => get<Api.HostSnapshot>("/host", undefined, signal),
  refetchInterval: 5_000,
});

export const hostSeriesQuery = (metric: Api.HostMetric, range: TimeRange) =>
  queryOptions({
    queryKey: ["host", "series", metric, rangeKey(range)],
    queryFn: ({ signal }) =>
      get<Api.HostSeries>(
        "/host/series",
        { metric, ...bounds(range), step_s: roundStep(spanSeconds(range), 240) },
        signal,
      ),
    refetchInterval: follows(range, SERIES_EVERY_MS),
    placeholderData: keepPreviousData,
  });

export interface EventFilter {
  kind?: string;
  subject?: string;
  service?: string;
}

export const EVENTS_PAGE = 100;

export const recentEventsQuery = (filter: EventFilter, limit: number) =>
  queryOptions({
    queryKey: ["events", "recent", filter, limit],
    queryFn: ({ signal }) => get<Api.EventPage>("/events", { ...filter, limit }, signal),
  });

export const deploysQuery = (service: string, limit: number) =>
  queryOptions({
    queryKey: ["deploys", service, limit],
    queryFn: ({ signal }) => get<Api.DeployList>("/deploys", { service, limit }, signal),
    refetchInterval: LIST_EVERY_MS,
  });

export const maintenanceQuery = queryOptions({
  queryKey: ["maintenance"],
  queryFn: ({ signal }) => get<Api.Page<Api.MaintenanceWindow>>("/maintenance", undefined, signal),
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => get<Api.Page<Api.Token>>("/tokens", undefined, signal),
});

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => get<Api.Page<Api.User>>("/users", undefined, signal),
});

function bounds(range: TimeRange): { start: string; end: string } {
  const { start, end } = resolveRange(range, new Date());
  return { start: start.toISOString(), end: end.toISOString() };
}

/** Steps begin at `start`: on a grid of whole steps, a curve stays where it is while the window moves on. */
function latencyWindow(range: TimeRange): Params {
  const { start, end } = resolveRange(range, new Date());
  const stepS = roundStep(spanSeconds(range));
  return { start: new Date(floorTo(start.getTime(), stepS * 1000)).toISOString(), end: end.toISOString(), step_s: stepS };
}

/** The same for equal parts: the window ends with the part that is not over yet. */
function uptimeWindow(range: TimeRange, buckets: number): Params {
  if (range.kind === "fixed") return { ...bounds(range), buckets };
  const widthMs = (spanSeconds(range) * 1000) / buckets;
  const end = floorTo(Date.now(), widthMs) + widthMs;
  return { start: new Date(end - buckets * widthMs).toISOString(), end: new Date(end).toISOString(), buckets };
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** A fixed range shows the past, which does not change. */
function follows(range: TimeRange, everyMs: number): number | false {
  return range.kind === "preset" ? everyMs : false;
}

/** Keeps the old curve while a new range loads, but never shows one check's data under another's name. */
function sameName<T>(name: string, previous: T | undefined, query: { queryKey: QueryKey } | undefined): T | undefined {
  return query?.queryKey[2] === name ? previous : undefined;
}

async function all<T>(path: string, params: Params, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined = null;
  do {
    const page: Api.Page<T> = await get<Api.Page<T>>(path, { ...params, limit: LIST_LIMIT, after: cursor }, signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < 10 * LIST_LIMIT);
  return items;
}
