// Traces as the server tells them in Jaeger's JSON: the one place that knows these shapes.
import type { PlainSpan } from "@/lib/traces/model";
import { ApiError, type Params, queryString, send } from "./client";
import type { Problem } from "./types";

const JAEGER = "/jaeger/api";
const TIMEOUT_MS = 60_000;

interface Tag {
  key: string;
  value: unknown;
}

interface JaegerSpan {
  spanID: string;
  operationName: string;
  references: { refType: string; traceID: string; spanID: string }[];
  startTime: number;
  duration: number;
  tags: Tag[];
  logs: { timestamp: number; fields: Tag[] }[];
  processID: string;
}

export interface JaegerTrace {
  traceID: string;
  spans: JaegerSpan[];
  processes: Record<string, { serviceName: string; tags: Tag[] }>;
}

/** All that a span says. */
export interface SpanDetail {
  id: string;
  parentId: string;
  service: string;
  name: string;
  kind: string;
  /** Microseconds since 1970. */
  startUs: number;
  durationUs: number;
  status: string;
  statusMessage: string;
  scope: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  events: { atUs: number; name: string; attributes: Record<string, unknown> }[];
  links: { traceId: string; spanId: string }[];
}

export async function askJaeger<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", `${JAEGER}${path}${queryString(params)}`, { signal, timeoutMs: TIMEOUT_MS });
  const body = (await response.json().catch(() => null)) as ({ data?: T; errors?: { msg: string }[] | null } & Omit<Partial<Problem>, "status">) | null;
  if (response.ok && body) return body.data as T;
  const detail = body?.errors?.[0]?.msg ?? body?.detail ?? `The server answered ${response.status} without a reason.`;
  throw new ApiError({ ...(body?.title ? (body as Omit<Partial<Problem>, "status">) : {}), title: body?.title ?? TITLES[response.status] ?? "The traces cannot be read", status: response.status, detail });
}

const TITLES: Record<number, string> = { 400: "The search cannot be read", 403: "This is not allowed to you", 404: "No such trace" };

const SPOKEN = new Set(["span.kind", "otel.status_code", "otel.status_description", "otel.scope.name", "error"]);

export function plainSpans(trace: JaegerTrace): PlainSpan[] {
  return trace.spans.map((span) => ({
    id: span.spanID,
    parentId: parentOf(span),
    service: trace.processes[span.processID]?.serviceName ?? "",
    name: span.operationName,
    kind: String(tagOf(span, "span.kind") ?? ""),
    startUs: span.startTime,
    durationUs: span.duration,
    isError: isFailed(span),
    eventsUs: span.logs.map((log) => log.timestamp),
  }));
}

export function detailOf(trace: JaegerTrace, id: string): SpanDetail | null {
  const span = trace.spans.find((one) => one.spanID === id);
  if (!span) return null;
  const process = trace.processes[span.processID];
  return {
    id,
    parentId: parentOf(span),
    service: process?.serviceName ?? "",
    name: span.operationName,
    kind: String(tagOf(span, "span.kind") ?? ""),
    startUs: span.startTime,
    durationUs: span.duration,
    status: isFailed(span) ? "error" : String(tagOf(span, "otel.status_code") ?? "unset").toLowerCase(),
    statusMessage: String(tagOf(span, "otel.status_description") ?? ""),
    scope: String(tagOf(span, "otel.scope.name") ?? ""),
    attributes: byName(span.tags.filter((tag) => !SPOKEN.has(tag.key))),
    resource: byName(process?.tags ?? []),
    events: span.logs.map((log) => ({
      atUs: log.timestamp,
      name: String(log.fields.find((field) => field.key === "event")?.value ?? ""),
      attributes: byName(log.fields.filter((field) => field.key !== "event")),
    })),
    links: span.references.filter((reference) => reference.refType === "FOLLOWS_FROM").map((reference) => ({ traceId: reference.traceID, spanId: reference.spanID })),
  };
}

function parentOf(span: JaegerSpan): string {
  return span.references.find((reference) => reference.refType === "CHILD_OF")?.spanID ?? "";
}

function isFailed(span: JaegerSpan): boolean {
  return tagOf(span, "error") === true;
}

function tagOf(span: JaegerSpan, key: string): unknown {
  return span.tags.find((tag) => tag.key === key)?.value;
}

function byName(tags: readonly Tag[]): Record<string, unknown> {
  return Object.fromEntries(tags.map((tag) => [tag.key, tag.value]));
}
