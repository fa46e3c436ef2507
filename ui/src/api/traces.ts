// What the pages know of traces, whichever API tells it: searches, one trace, one span, services.
import { readDocument } from "@/lib/traces/document";
import type { Trace } from "@/lib/traces/model";
import { selectionOf, type TraceWish } from "@/lib/traces/search";
import { get, LONG_MS } from "./client";
import { askJaeger } from "./jaeger";
import type { SpanDetail, TraceDocument, TraceLine, TraceList } from "./types";

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

export async function searchTraces(wish: TraceWish, start: Date, end: Date, signal?: AbortSignal): Promise<TraceSummary[]> {
  const params = { ...selectionOf(wish), limit: wish.limit, start: start.toISOString(), end: end.toISOString() };
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

export async function readTrace(id: string, signal?: AbortSignal): Promise<Trace> {
  return readDocument(await get<TraceDocument>(`/traces/${encodeURIComponent(id)}`, {}, signal, LONG_MS));
}

/** All of a span; a client and a server may share its id, so there can be two. */
export const readSpan = (trace: string, span: string, signal?: AbortSignal) => get<SpanDetail[]>(`/traces/${encodeURIComponent(trace)}/spans/${encodeURIComponent(span)}`, {}, signal, LONG_MS);

export const listServices = (signal?: AbortSignal) => askJaeger<string[]>("/services", {}, signal);

export const listOperations = (service: string, signal?: AbortSignal) => askJaeger<string[]>(`/services/${encodeURIComponent(service)}/operations`, {}, signal);
