// What is asked of traces, as it stands in the address and as people write it: `http.status_code=500 user="a b"`.

export interface TraceWish {
  service: string;
  operation: string;
  /** Attributes as people write them. */
  attributes: string;
  min: string;
  max: string;
  status: "" | "error" | "ok";
  /** Which spans are meant: all, those without a parent, or those of a kind. */
  spans: "" | "root" | SpanKind;
  limit: number;
}

const KINDS = ["server", "client", "internal", "producer", "consumer"] as const;
export type SpanKind = (typeof KINDS)[number];

export const SPANS_WORD: Record<"root" | SpanKind, string> = { root: "Root spans", server: "Server", client: "Client", internal: "Internal", producer: "Producer", consumer: "Consumer" };

export const LIMITS = [20, 100, 500];
export const DEFAULT_LIMIT = 100;
export const NO_WISH: TraceWish = { service: "", operation: "", attributes: "", min: "", max: "", status: "", spans: "", limit: DEFAULT_LIMIT };

/** Reads a search from the address; `prefix` tells two searches in one address apart. */
export function readWish(params: URLSearchParams, prefix = ""): TraceWish {
  const text = (name: string): string => params.get(prefix + name) ?? "";
  const limit = Number(text("limit"));
  const [status, spans] = [text("status"), text("spans")];
  return {
    service: text("service"),
    operation: text("operation"),
    attributes: text("attributes"),
    min: text("min"),
    max: text("max"),
    status: status === "error" || status === "ok" ? status : "",
    spans: spans in SPANS_WORD ? (spans as TraceWish["spans"]) : "",
    limit: LIMITS.includes(limit) ? limit : DEFAULT_LIMIT,
  };
}

/** A copy of the address's search with the wish in it; what is not asked leaves no trace. */
export function writeWish(params: URLSearchParams, wish: Partial<TraceWish>, prefix = ""): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(wish)) {
    if (value === "" || (name === "limit" && value === DEFAULT_LIMIT)) next.delete(prefix + name);
    else next.set(prefix + name, String(value));
  }
  return next;
}

/** A wish in words, as `holdfast trace search` takes it; empty where nothing is asked. */
export function sayWish(wish: TraceWish): string {
  const said = (["service", "operation", "status", "min", "max"] as const).filter((name) => wish[name] !== "").map((name) => `${name === "min" || name === "max" ? `${name}_duration` : name}=${wish[name]}`);
  return [...said, wish.attributes.trim()].filter(Boolean).join(" ");
}

/** A wish as the server's selection of traces; `ok` is no condition of a span, so it is left out. */
export function selectionOf(wish: TraceWish) {
  return {
    service: wish.service,
    operation: wish.operation,
    attribute: Object.entries(parseAttributes(wish.attributes) ?? {}).map(([name, value]) => `${name}=${value}`),
    min_duration: wish.min,
    max_duration: wish.max,
    ...(wish.status === "error" ? { status: "error" as const } : {}),
    ...(wish.spans !== "" && wish.spans !== "root" ? { kind: wish.spans } : {}),
    ...(wish.spans === "root" ? { roots: true } : {}),
  };
}

/** Where nothing says which spans are meant, durations are of whole traces: of the spans without a parent. */
export function withRoots(wish: TraceWish): TraceWish {
  return wish.spans === "" && wish.service === "" && wish.operation === "" && wish.attributes === "" ? { ...wish, spans: "root" } : wish;
}

/**
 * Whether a search says nothing of the spans but whose they are: then probes and polls are most of what there is. With a
 * part of the heat map come durations of whole traces, which somebody chose there and did not say by themselves.
 */
export function isBroad(wish: TraceWish, part: Part | null = null): boolean {
  const said = part !== null && wish.spans === "root" ? { ...wish, min: "", max: "", spans: "" } : wish;
  return (["operation", "attributes", "min", "max", "status", "spans"] as const).every((name) => said[name] === "");
}

/** A part of the time range that was chosen on a chart: "1700000000000-1700000060000". */
export interface Part {
  fromMs: number;
  toMs: number;
}

export function readPart(text: string): Part | null {
  const match = /^(\d{10,14})-(\d{10,14})$/.exec(text);
  return match && Number(match[1]) < Number(match[2]) ? { fromMs: Number(match[1]), toMs: Number(match[2]) } : null;
}

export const writePart = (part: Part | null): string => (part ? `${Math.round(part.fromMs)}-${Math.round(part.toMs)}` : "");

/** Nanoseconds as a search writes them, exact: "46ms", "1.5s", "0ns". */
export function writeNs(ns: number): string {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["us", 1e3]] as const) if (ns >= size) return `${Number((ns / size).toPrecision(12))}${unit}`;
  return `${ns}ns`;
}

/** A search as an address, for a link. */
export function searchPath(wish: Partial<TraceWish>, page = "/traces"): string {
  const text = writeWish(new URLSearchParams(), wish).toString();
  return text ? `${page}?${text}` : page;
}

const PAIR = /([^\s=]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S*))/y;

/** Attributes by name; null where the text cannot be read. */
export function parseAttributes(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  const whole = text.trim();
  for (let at = 0; at < whole.length; ) {
    PAIR.lastIndex = at;
    const match = PAIR.exec(whole);
    if (!match) return null;
    found[match[1] as string] = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    at = PAIR.lastIndex;
    while (/\s/.test(whole[at] ?? "")) at += 1;
  }
  return found;
}

const DURATION = /^(\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

/** Whether a duration can be read: "120ms", "1.5s", "1m30s". */
export function isDuration(text: string): boolean {
  return text === "" || DURATION.test(text);
}

/** The attributes with one more pair, as people write it. */
export function addAttribute(text: string, name: string, value: string): string {
  const written = /[\s"]/.test(value) || value === "" ? `"${value.replace(/(["\\])/g, "\\$1")}"` : value;
  return [text.trim(), `${name}=${written}`].filter(Boolean).join(" ");
}

/** The lines of a trace, or of one of its spans, as LogQL asks for them. */
export function traceLogQuery(traceId: string, spanId = ""): string {
  return `{service_name=~".+"} | trace_id="${traceId}"${spanId ? ` | span_id="${spanId}"` : ""}`;
}

/** How a trace is called where its id has no room: everywhere the same. */
export const shortTraceId = (id: string): string => id.slice(0, 8);

export const tracePath = (id: string, span = ""): string => `/traces/${encodeURIComponent(id)}${span ? `?span=${encodeURIComponent(span)}` : ""}`;
