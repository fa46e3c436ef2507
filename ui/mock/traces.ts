// What the mock tells of traces: orders of the shop, some slow, some failed, one with clocks that differ,
// one of a hundred thousand spans.
import type { SpanDetail, TraceDocument, TraceLine } from "@/api/types";
import { groupBy } from "../src/lib/group.ts";
import { growTrace, type PlainSpan } from "./grow.ts";

const COUNT = 60;
export const HUGE_ID = "feed0000000000000000000000000001";
export const SKEWED_ID = "feed0000000000000000000000000002";

interface Made {
  spanID: string;
  operationName: string;
  references: { refType: string; traceID: string; spanID: string }[];
  startTime: number;
  duration: number;
  tags: { key: string; value: unknown }[];
  logs: { timestamp: number; fields: { key: string; value: unknown }[] }[];
  processID: string;
}

interface MadeTrace {
  traceID: string;
  spans: Made[];
  processes: Record<string, { serviceName: string; tags: { key: string; value: unknown }[] }>;
}

type Story = [id: string, parent: string, service: string, name: string, kind: string, fromMs: number, tookMs: number];

const ORDER: readonly Story[] = [
  ["a1", "", "gateway", "POST /checkout", "server", 0, 240],
  ["a2", "a1", "orders", "POST /orders", "server", 6, 225],
  ["a3", "a2", "orders", "validate basket", "internal", 8, 14],
  ["a4", "a2", "catalog", "GET /prices", "server", 24, 40],
  ["a5", "a4", "catalog", "SELECT prices", "client", 27, 31],
  ["a6", "a2", "payments", "POST /charge", "server", 70, 130],
  ["a7", "a6", "payments", "POST api.bank.example/charge", "client", 74, 118],
  ["a8", "a2", "orders", "INSERT orders", "client", 203, 22],
  ["a9", "a2", "stock", "orders publish", "producer", 226, 3],
];

export function order(number: number, now: number): MadeTrace {
  const id = `c0ffee00000000000000000000${String(number).padStart(6, "0")}`;
  const factor = number % 13 === 4 ? 9 : 0.6 + ((number * 37) % 50) / 50;
  const isFailed = number % 9 === 4;
  const began = (now - number * 55_000 - 5_000) * 1000;
  const spans = ORDER.map(([span, parent, service, name, kind, from, took]): Made => {
    const failed = isFailed && ["a6", "a7", "a1"].includes(span);
    return {
      spanID: `00000000000000${span}`,
      operationName: name,
      references: parent ? [{ refType: "CHILD_OF", traceID: id, spanID: `00000000000000${parent}` }] : [],
      startTime: began + Math.round(from * factor * 1000),
      duration: Math.round(took * factor * 1000),
      tags: [
        { key: "span.kind", value: kind },
        ...(kind === "server" ? [{ key: "http.response.status_code", value: failed ? 502 : 200 }, { key: "user.id", value: `u-${number % 7}` }] : []),
        ...(failed ? [{ key: "error", value: true }, { key: "otel.status_code", value: "ERROR" }, { key: "otel.status_description", value: "the bank hung up" }] : []),
      ],
      logs: failed && span === "a7" ? [{ timestamp: began + Math.round(150 * factor * 1000), fields: [{ key: "event", value: "exception" }, { key: "exception.type", value: "ConnectionResetError" }] }] : [],
      processID: service,
    };
  });
  return { traceID: id, spans, processes: processesOf(ORDER.map((story) => story[2])) };
}

function processesOf(services: readonly string[]): MadeTrace["processes"] {
  return Object.fromEntries([...new Set(services)].map((service) => [service, { serviceName: service, tags: [{ key: "host.name", value: `${service}-1` }, { key: "service.version", value: "2.4.1" }] }]));
}

/** An import that calls again and again; every hundredth call holds calls of its own. */
export function huge(now: number, count = 100_000): MadeTrace {
  const began = (now - 600_000) * 1000;
  const spans: Made[] = [];
  const add = (name: string, processID: string, parent: number, from: number, duration: number): number => {
    spans.push({ spanID: spans.length.toString(16).padStart(16, "0"), operationName: name, references: parent >= 0 ? [{ refType: "CHILD_OF", traceID: HUGE_ID, spanID: parent.toString(16).padStart(16, "0") }] : [], startTime: began + from, duration, tags: [{ key: "span.kind", value: "internal" }], logs: [], processID });
    return spans.length - 1;
  };
  const root = add("import the catalogue", "import", -1, 0, count * 100);
  let batch = root;
  for (let at = 1; at < count; at += 1) {
    if (at % 100 === 1) batch = add(`batch ${Math.floor(at / 100)}`, "import", root, at * 100, 9_900);
    else add(at % 100 === 50 ? "POST /index" : "upsert product", at % 100 === 50 ? "search" : "catalog", batch, at * 100, 90);
  }
  return { traceID: HUGE_ID, spans, processes: processesOf(["import", "search", "catalog"]) };
}

function skewed(now: number): MadeTrace {
  const trace = order(3, now);
  const spans = trace.spans
    .filter((span) => !span.spanID.endsWith("a1"))
    .map((span) => ({ ...span, startTime: span.startTime - (span.processID === "catalog" ? 90_000 : 0) }));
  return { ...trace, traceID: SKEWED_ID, spans };
}

export function answerTraces(url: URL, isEmpty: boolean): Response {
  const path = url.pathname.replace("/jaeger/api/", "");
  const data = (value: unknown) => Response.json({ data: value, errors: null });
  if (path === "services") return data(isEmpty ? [] : ["catalog", "gateway", "orders", "payments", "stock"]);
  if (path.endsWith("/operations")) return data([...new Set(ORDER.filter((story) => path.includes(`/${story[2]}/`)).map((story) => story[3]))]);
  if (path === "dependencies") return data(isEmpty ? [] : [["gateway", "orders", 4_210], ["orders", "catalog", 4_180], ["orders", "payments", 3_900], ["orders", "stock", 3_870]].map(([parent, child, callCount]) => ({ parent, child, callCount })));
  return data([]);
}

/** A trace as a whole, or one of its spans. */
export function readTrace(id: string, spanId: string | undefined): Response {
  const now = Date.now();
  const found = id === HUGE_ID ? huge(now) : id === SKEWED_ID ? skewed(now) : Array.from({ length: COUNT }, (_, at) => order(at, now)).find((trace) => trace.traceID === id);
  if (!found) return Response.json({ title: "No such trace", status: 404, detail: `no trace ${id}`, code: "not_found" }, { status: 404 });
  if (spanId === undefined) return Response.json(documentOf(found));
  const spans = found.spans.filter((span) => span.spanID === spanId).map((span) => detailOf(found, span));
  return spans.length > 0 ? Response.json(spans) : Response.json({ title: "No such span", status: 404, detail: `no span ${spanId}`, code: "not_found" }, { status: 404 });
}

const tagOf = (span: Made, key: string): unknown => span.tags.find((tag) => tag.key === key)?.value;
const parentOf = (span: Made): string => span.references[0]?.spanID ?? "";
const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;

/** The document of a trace, as the server finds it out. */
export function documentOf(made: MadeTrace): TraceDocument {
  const trace = growTrace(made.traceID, made.spans.map((span): PlainSpan => ({ id: span.spanID, parentId: parentOf(span), service: span.processID, name: span.operationName, kind: String(tagOf(span, "span.kind")), startUs: span.startTime, durationUs: span.duration, isError: isFailed(span), eventsUs: span.logs.map((log) => log.timestamp) })));
  const services = [...new Set(trace.services)].sort();
  const names = [...new Set(trace.names)];
  const [servicePlaces, namePlaces] = [new Map(services.map((name, at) => [name, at])), new Map(names.map((name, at) => [name, at]))];
  const ns = (values: Float64Array): number[] => Array.from(values, (us) => us * 1000);
  const pieces = [...trace.critical].flatMap(([row, own]) => own.map(([from, until]) => [row, from, until] as const)).sort((a, b) => a[1] - b[1]);
  const marks = [...trace.events].flatMap(([row, own]) => own.map((at) => [row, at] as const));
  const rows = Array.from(trace.starts, (_, row) => row);
  return {
    trace_id: trace.id,
    started_at: new Date(trace.beganUs / 1000).toISOString(),
    start_ns: String(BigInt(trace.beganUs) * 1000n),
    duration_ns: trace.durationUs * 1000,
    root: trace.root,
    count: trace.count,
    errors: trace.errors,
    services: services.map((name) => ({ name, spans: trace.services.filter((one) => one === name).length, errors: 0, self_ns: 0 })),
    names,
    spans: {
      ids: [...trace.ids],
      parents: [...trace.parents],
      depths: [...trace.depths],
      services: trace.services.map((name) => servicePlaces.get(name) ?? 0),
      names: trace.names.map((name) => namePlaces.get(name) ?? 0),
      kinds: trace.kinds.map((kind) => KINDS.findIndex((one) => one === kind)),
      statuses: [...trace.isError].map((failed) => (failed ? 2 : 0)),
      starts_ns: ns(trace.starts),
      durations_ns: ns(trace.durations),
      self_ns: ns(trace.selfTimes),
      critical_ns: rows.map((row) => (trace.critical.get(row) ?? []).reduce((sum, [from, until]) => sum + (until - from) * 1000, 0)),
      skews_ns: rows.map(() => 0),
      events: rows.map((row) => trace.events.get(row)?.length ?? 0),
    },
    critical_path: { rows: pieces.map(([row]) => row), starts_ns: pieces.map(([, from]) => from * 1000), ends_ns: pieces.map(([, , until]) => until * 1000) },
    marks: { rows: marks.map(([row]) => row), offsets_ns: marks.map(([, at]) => at * 1000) },
    warnings: trace.warnings.map(({ code, message, rows: own }) => ({ code: code as TraceDocument["warnings"][number]["code"], message, count: own.length, rows: [...own] })),
    repetitions: [],
  };
}

function detailOf(trace: MadeTrace, span: Made): SpanDetail {
  const byName = (tags: readonly { key: string; value: unknown }[]) => Object.fromEntries(tags.map(({ key, value }) => [key, value]));
  return {
    trace_id: trace.traceID,
    span_id: span.spanID,
    parent_id: parentOf(span),
    service: span.processID,
    name: span.operationName,
    kind: KINDS.find((kind) => kind === tagOf(span, "span.kind")) ?? "unspecified",
    status: isFailed(span) ? "error" : "unset",
    status_message: String(tagOf(span, "otel.status_description") ?? ""),
    started_at: new Date(span.startTime / 1000).toISOString(),
    start_ns: String(BigInt(span.startTime) * 1000n),
    duration_ns: span.duration * 1000,
    scope: "",
    trace_state: "",
    weight: 1,
    attributes: byName(span.tags.filter(({ key }) => !/^(span\.kind|otel\.|error$)/.test(key))),
    resource: byName(trace.processes[span.processID]?.tags ?? []) as Record<string, string>,
    events: span.logs.map((log) => ({ name: String(log.fields.find((field) => field.key === "event")?.value ?? ""), offset_ns: (log.timestamp - span.startTime) * 1000, attributes: byName(log.fields.filter((field) => field.key !== "event")) })),
    links: [],
  };
}

/** A search by the REST API. */
export function searchTraces(query: URLSearchParams, isEmpty: boolean): Response {
  const now = Date.now();
  const made = Array.from({ length: COUNT }, (_, at) => order(at, now));
  const found = isEmpty ? [] : [...made, ...made.slice(0, PROBES).map(probe)].filter((trace) => isAsked(trace, query));
  return Response.json({ items: found.slice(0, Number(query.get("limit") ?? 20)).map(lineOf), next: null });
}

const PROBES = 12;

/** Somebody asks whether the service of an order lives: one span, nothing below. */
function probe({ traceID, spans, processes }: MadeTrace): MadeTrace {
  return { traceID: traceID.replace(/^c0ffee/, "beef00"), processes, spans: spans.slice(0, 1).map((span) => ({ ...span, operationName: "GET /healthz", duration: 400, tags: [] })) };
}

function lineOf({ traceID, spans }: MadeTrace): TraceLine {
  const began = Math.min(...spans.map((span) => span.startTime));
  const services = groupBy(spans, (span) => span.processID);
  return {
    trace_id: traceID,
    started_at: new Date(began / 1000).toISOString(),
    duration_ns: (Math.max(...spans.map((span) => span.startTime + span.duration)) - began) * 1000,
    root_service: spans[0]?.processID ?? "",
    root_name: spans[0]?.operationName ?? "",
    spans: spans.length,
    errors: spans.filter(isFailed).length,
    services: [...services].map(([name, own]) => ({ name, spans: own.length })),
  };
}

function isFailed(span: Made): boolean {
  return span.tags.some((tag) => tag.key === "error");
}

function isAsked(trace: MadeTrace, query: URLSearchParams): boolean {
  const wanted = query.getAll("attribute").map((pair) => pair.split("=", 2));
  const [start, end] = [Date.parse(query.get("start") ?? ""), Date.parse(query.get("end") ?? "")];
  return trace.spans.some(
    (span) =>
      (!query.get("service") || span.processID === query.get("service")) &&
      (!query.get("operation") || span.operationName === query.get("operation")) &&
      (query.get("status") !== "error" || isFailed(span)) &&
      span.startTime / 1000 >= start && span.startTime / 1000 <= end &&
      wanted.every(([key, value]) => span.tags.some((tag) => tag.key === key && String(tag.value) === value)),
  );
}

/** Two lines per order, as Loki tells them. */
export function answerTraceLogs(url: URL): Response {
  const id = /trace_id="([0-9a-f]+)"/.exec(url.searchParams.get("query") ?? "")?.[1] ?? "";
  const at = BigInt(Date.parse(url.searchParams.get("start") ?? "") + 60_000) * 1_000_000n;
  const line = (service: string, level: string, after: bigint, text: string, span: string) => ({ stream: { service_name: service, detected_level: level, trace_id: id, span_id: `00000000000000${span}` }, values: [[String(at + after * 1_000_000n), text]] });
  const result = id.startsWith("c0ffee") ? [line("payments", "warn", 92n, "the bank answers slowly, trying once more", "a7"), line("orders", "info", 9n, "order 4711 accepted, 3 lines", "a3")] : [];
  return Response.json({ status: "success", data: { resultType: "streams", result } });
}
