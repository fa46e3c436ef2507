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

/** What a search found, and how many traces of a single span it left out on the way. */
export interface FoundTraces {
  traces: TraceSummary[];
  leftOut: number;
}

const PAGE = 500;
const MOST_PAGES = 4;

export interface TraceQuestion {
  wish: TraceWish;
  start: Date;
  end: Date;
  /** Whether traces of a single span that did not fail are left out: probes, polls, what has only begun. */
  isWithoutSingles?: boolean;
}

export async function searchTraces({ wish, start, end, isWithoutSingles = false }: TraceQuestion, signal?: AbortSignal): Promise<FoundTraces> {
  const found: FoundTraces = { traces: [], leftOut: 0 };
  let cursor: string | null = "";
  for (let page = 0; cursor !== null && page < (isWithoutSingles ? MOST_PAGES : 1) && found.traces.length < wish.limit; page += 1) {
    const params = { ...selectionOf(wish), limit: isWithoutSingles ? PAGE : wish.limit, start: start.toISOString(), end: end.toISOString(), cursor };
    const list: TraceList = await get<TraceList>("/traces", params, signal);
    for (const one of list.items.map(summaryOf)) {
      if (found.traces.length >= wish.limit) break;
      if (isWithoutSingles && one.spans === 1 && one.errors === 0) found.leftOut += 1;
      else if (wish.status !== "ok" || one.errors === 0) found.traces.push(one);
    }
    cursor = list.next ?? null;
  }
  return found;
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
