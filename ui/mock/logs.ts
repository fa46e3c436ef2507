// What the mock says of logs: four services that have sent for an hour, a line every three seconds, one of forty an error.
const EVERY_MS = 3_000;
const HISTORY_MS = 3_600_000;
const SERVICES = ["catalog", "orders", "payments", "warehouse"];

interface Line {
  ms: number;
  service: string;
  level: string;
  text: string;
  trace: string;
}

/** The lines of a time are the same whenever they are asked for. */
function lineAt(slot: number): Line {
  const service = SERVICES[slot % SERVICES.length] ?? "";
  const level = slot % 40 === 1 ? "error" : slot % 11 === 0 ? "debug" : "info";
  const text = level === "error" ? `{"level":"error","msg":"timeout calling payments","order":"o-${slot % 977}","ms":${(slot % 7) * 400}}` : service === "payments" ? `level=${level} msg="charge accepted" amount=${slot % 90}.00` : `order o-${slot % 977} placed`;
  return { ms: slot * EVERY_MS, service, level, text, trace: slot.toString(16).padStart(32, "0") };
}

function chosenLines(query: string, startMs: number, endMs: number): Line[] {
  const now = Date.now();
  const from = Math.ceil(Math.max(startMs, now - HISTORY_MS) / EVERY_MS);
  const lines: Line[] = [];
  for (let slot = from; slot * EVERY_MS < Math.min(endMs, now); slot += 1) lines.push(lineAt(slot));
  const service = /service_name="(\w+)"/.exec(query)?.[1];
  const levels = /detected_level=~?"([\w|]+)"/.exec(query)?.[1]?.split("|");
  const word = /\|= "([^"]*)"/.exec(query)?.[1] ?? "";
  return lines.filter((line) => (!service || line.service === service) && (!levels || levels.includes(line.level)) && line.text.includes(word));
}

export function answerLogs(call: string, verb: string, query: URLSearchParams, isEmpty: boolean): Response | undefined {
  const expr = query.get("query") ?? "";
  const [start, end] = [timeOf(query.get("start")) ?? Date.now() - HISTORY_MS, timeOf(query.get("end")) ?? Date.now()];
  if (/\|= [a-z]/.test(expr)) return new Response(`parse error at line 1, col ${expr.search(/\|= [a-z]/) + 4}: syntax error: unexpected IDENTIFIER, expecting STRING`, { status: 400 });
  const lines = isEmpty ? [] : chosenLines(expr, start, end);
  if (call === "query_range") return /^\s*\{/.test(expr) ? data(streams(lines, query)) : data(counts(lines, start, end, Number(query.get("step"))));
  if (call === "query") return data({ resultType: "vector", result: tally(lines.map((line) => ({ service_name: line.service }))) });
  if (call === "index" && verb === "volume") return data({ resultType: "vector", result: tally(lines.map((line) => ({ service_name: line.service }))) });
  if (call === "labels") return data(isEmpty ? [] : ["environment", "service_name"]);
  if (call === "label") return data(isEmpty ? [] : verb === "service_name" ? SERVICES : ["prod"]);
  if (call === "detected_labels") return Response.json({ detectedLabels: isEmpty ? [] : [{ label: "service_name", cardinality: SERVICES.length }] });
  if (call === "detected_fields") return Response.json({ fields: isEmpty ? [] : [{ label: "msg", type: "string", cardinality: 2, parsers: ["json", "logfmt"] }, { label: "trace_id", type: "string", cardinality: 900, parsers: null }], limit: 500 });
  if (call === "patterns") return data(isEmpty ? [] : [{ pattern: "order <_> placed", samples: [[end / 1000 - 60, 12], [end / 1000, 9]] }]);
  return undefined;
}

function streams(lines: readonly Line[], query: URLSearchParams): unknown {
  const ordered = query.get("direction") === "forward" ? lines : lines.toReversed();
  const result = new Map<string, unknown[]>();
  for (const { ms, service, level, text, trace } of ordered.slice(0, Number(query.get("limit") ?? 100))) {
    result.set(service, [...(result.get(service) ?? []), [`${ms}000000`, text, { structuredMetadata: { detected_level: level, trace_id: trace } }]]);
  }
  return { resultType: "streams", result: [...result].map(([service, values]) => ({ stream: { environment: "prod", service_name: service }, values })), stats: { summary: { totalLinesProcessed: lines.length, totalBytesProcessed: lines.length * 60, execTime: 0.012 } } };
}

function counts(lines: readonly Line[], start: number, end: number, stepS: number): unknown {
  const rows = new Map<string, [number, string][]>();
  for (let at = start; at <= end; at += stepS * 1000) {
    const within = lines.filter(({ ms }) => ms > at - stepS * 1000 && ms <= at);
    for (const level of new Set(within.map((line) => line.level))) {
      rows.set(level, [...(rows.get(level) ?? []), [at / 1000, String(within.filter((line) => line.level === level).length)]]);
    }
  }
  return { resultType: "matrix", result: [...rows].map(([level, values]) => ({ metric: { detected_level: level }, values })) };
}

function tally(metrics: readonly Record<string, string>[]): unknown[] {
  const found = new Map<string, number>();
  for (const metric of metrics) found.set(JSON.stringify(metric), (found.get(JSON.stringify(metric)) ?? 0) + 1);
  return [...found].map(([metric, count]) => ({ metric: JSON.parse(metric) as unknown, value: [Date.now() / 1000, String(count)] }));
}

/** Nanoseconds or seconds as milliseconds. */
function timeOf(text: string | null): number | null {
  if (!text) return null;
  return text.length > 15 && !text.includes(".") ? Number(BigInt(text) / 1_000_000n) : Number(text) * 1000;
}

function data(value: unknown): Response {
  return Response.json({ status: "success", data: value });
}
