// What the pages know of traces, whichever API tells it: searches, one trace, one span, services, who calls whom.
import { growTrace } from "@/lib/traces/grow";
import type { Trace } from "@/lib/traces/model";
import { parseAttributes, type TraceWish } from "@/lib/traces/search";
import { get } from "./client";
import { askJaeger, detailOf, type JaegerTrace, plainSpans, type SpanDetail } from "./jaeger";
import type { TraceLine, TraceList } from "./types";

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

export async function searchTraces(wish: TraceWish, start: Date, end: Date, signal?: AbortSignal): Promise<TraceSummary[]> {
  const params = {
    service: wish.service,
    operation: wish.operation,
    attribute: Object.entries(parseAttributes(wish.attributes) ?? {}).map(([name, value]) => `${name}=${value}`),
    min_duration: wish.min,
    max_duration: wish.max,
    status: wish.status === "error" ? "error" : "",
    limit: wish.limit,
    start: start.toISOString(),
    end: end.toISOString(),
  };
  const found = (await get<TraceList>("/traces", params, signal)).items.map(summaryOf);
  return wish.status === "ok" ? found.filter((one) => one.errors === 0) : found;
}

function summaryOf(line: TraceLine): TraceSummary {
  return {
    id: line.trace_id,
    startUs: Date.parse(line.started_at) * 1000,
    durationUs: line.duration_ns / 1000,
    rootService: line.root_service,
    rootName: line.root_name,
    spans: line.spans,
    errors: line.errors,
    services: Object.fromEntries(line.services.map(({ name, spans }) => [name, spans])),
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
