// What the pages know of traces, whichever API tells it: searches, one trace, one span, services, who calls whom.
import { growTrace } from "@/lib/traces/grow";
import type { Trace } from "@/lib/traces/model";
import { parseAttributes, type TraceWish } from "@/lib/traces/search";
import { askJaeger, detailOf, type JaegerTrace, plainSpans, type SpanDetail } from "./jaeger";

export type { SpanDetail } from "./jaeger";

/** One line of a search; the root is the earliest span where it has not come. */
export interface TraceSummary {
  id: string;
  startUs: number;
  durationUs: number;
  rootService: string;
  rootName: string;
  spans: number;
  errors: number;
  services: Record<string, number>;
}

export interface ServiceCalls {
  from: string;
  to: string;
  calls: number;
}

export interface OpenTrace {
  trace: Trace;
  detail: (id: string) => SpanDetail | null;
}

/** Without a service each one is asked; this many at most. */
const MOST_SERVICES = 20;

export async function searchTraces(wish: TraceWish, start: Date, end: Date, signal?: AbortSignal): Promise<TraceSummary[]> {
  const services = wish.service ? [wish.service] : (await listServices(signal)).slice(0, MOST_SERVICES);
  const tags = { ...parseAttributes(wish.attributes), ...(wish.status === "error" ? { error: "true" } : {}) };
  const params = {
    operation: wish.operation,
    tags: Object.keys(tags).length > 0 ? JSON.stringify(tags) : "",
    minDuration: wish.min,
    maxDuration: wish.max,
    limit: wish.limit,
    start: start.getTime() * 1000,
    end: end.getTime() * 1000,
  };
  const found = new Map<string, TraceSummary>();
  for (const answer of await Promise.all(services.map((service) => askJaeger<JaegerTrace[]>("/traces", { service, ...params }, signal)))) {
    for (const one of answer) found.set(one.traceID, summarise(one));
  }
  const newest = [...found.values()].sort((a, b) => b.startUs - a.startUs).slice(0, wish.limit);
  return wish.status === "ok" ? newest.filter((one) => one.errors === 0) : newest;
}

function summarise(one: JaegerTrace): TraceSummary {
  const trace = growTrace(one.traceID, plainSpans(one));
  const services: Record<string, number> = {};
  for (const service of trace.services) services[service] = (services[service] ?? 0) + 1;
  return {
    id: trace.id,
    startUs: trace.beganUs,
    durationUs: trace.durationUs,
    rootService: trace.services[trace.root] ?? "",
    rootName: trace.names[trace.root] ?? "",
    spans: trace.count,
    errors: trace.errors,
    services,
  };
}

export async function readTrace(id: string, signal?: AbortSignal): Promise<OpenTrace> {
  const [found] = await askJaeger<[JaegerTrace]>(`/traces/${encodeURIComponent(id)}`, {}, signal);
  return { trace: growTrace(found.traceID, plainSpans(found)), detail: (spanId) => detailOf(found, spanId) };
}

export const listServices = (signal?: AbortSignal) => askJaeger<string[]>("/services", {}, signal);

export const listOperations = (service: string, signal?: AbortSignal) => askJaeger<string[]>(`/services/${encodeURIComponent(service)}/operations`, {}, signal);

export async function listCalls(start: Date, end: Date, signal?: AbortSignal): Promise<ServiceCalls[]> {
  const found = await askJaeger<{ parent: string; child: string; callCount: number }[]>("/dependencies", { endTs: end.getTime(), lookback: end.getTime() - start.getTime() }, signal);
  return found.map(({ parent, child, callCount }) => ({ from: parent, to: child, calls: callCount }));
}
