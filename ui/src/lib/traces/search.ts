// What is asked of traces, as it stands in the address and as people write it: `http.status_code=500 user="a b"`.

export interface TraceWish {
  service: string;
  operation: string;
  /** Attributes as people write them. */
  attributes: string;
  min: string;
  max: string;
  status: "" | "error" | "ok";
  limit: number;
}

export const LIMITS = [20, 100, 500];
export const DEFAULT_LIMIT = 100;

export function readWish(params: URLSearchParams): TraceWish {
  const limit = Number(params.get("limit"));
  const status = params.get("status");
  return {
    service: params.get("service") ?? "",
    operation: params.get("operation") ?? "",
    attributes: params.get("attributes") ?? "",
    min: params.get("min") ?? "",
    max: params.get("max") ?? "",
    status: status === "error" || status === "ok" ? status : "",
    limit: LIMITS.includes(limit) ? limit : DEFAULT_LIMIT,
  };
}

/** A copy of the address's search with the wish in it; what is not asked leaves no trace. */
export function writeWish(params: URLSearchParams, wish: Partial<TraceWish>): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(wish)) {
    if (value === "" || (name === "limit" && value === DEFAULT_LIMIT)) next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** A wish in words, as `holdfast trace search` takes it; empty where nothing is asked. */
export function sayWish(wish: TraceWish): string {
  const said = (["service", "operation", "status", "min", "max"] as const).filter((name) => wish[name] !== "").map((name) => `${name === "min" || name === "max" ? `${name}_duration` : name}=${wish[name]}`);
  return [...said, wish.attributes.trim()].filter(Boolean).join(" ");
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

/** Where the logs page shows the lines of a trace. */
export function traceLogQuery(traceId: string): string {
  return `{service_name=~".+"} | trace_id="${traceId}"`;
}

export const tracePath = (id: string, span = ""): string => `/traces/${encodeURIComponent(id)}${span ? `?span=${encodeURIComponent(span)}` : ""}`;
