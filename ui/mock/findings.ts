// What the mock tells of many traces together: durations over time, groups, a comparison, the map of calls.
import type { Comparison, MapEdge, SpanGroup, SpanGroups, TraceLatency, TraceMap } from "@/api/types";

const MINUTE_NS = 60e9;
const BOUNDS_MS = [10, 15, 22, 32, 46, 68, 100, 150, 220, 320, 460, 680, 1000];

export function answerFindings(page: string, query: URLSearchParams, isEmpty: boolean): Response | null {
  if (page === "latency") return Response.json(isEmpty ? { ...latency(), spans: [], failed: [], times: [], rows: [], bounds_ns: [], total: 0, total_failed: 0 } : latency());
  if (page === "groups") return Response.json(groups(query.get("of") === "slow", isEmpty));
  if (page === "compare") return Response.json(comparison());
  if (page === "map") return Response.json(isEmpty ? { ...map(), nodes: [], edges: [] } : map());
  return null;
}

function latency(): TraceLatency {
  const cells = Array.from({ length: 60 }, (_, time) => [3, 4, 5, 6].map((row) => [time, row, 40 - Math.abs(row - 4) * 12 + ((time * 7) % 5), row === 6 && time % 9 === 0 ? 2 : 0] as const)).flat();
  const spans = cells.map(([, , count]) => count);
  return {
    started_at: new Date(Math.floor(Date.now() / 60_000 - 59) * 60_000).toISOString(),
    step_ns: MINUTE_NS,
    columns: 60,
    bounds_ns: BOUNDS_MS.map((ms) => ms * 1e6),
    times: cells.map(([time]) => time),
    rows: cells.map(([, row]) => row),
    spans,
    failed: cells.map(([, , , failed]) => failed),
    total: spans.reduce((sum, count) => sum + count, 0),
    total_failed: 14,
    p50_ms: 52,
    p95_ms: 118,
    p99_ms: 141,
    share: 1,
  };
}

function groups(isSlow: boolean, isEmpty: boolean): SpanGroups {
  const one = (service: string, operation: string, error: string, pattern: string, spans: number, origins: number): SpanGroup => ({
    service, operation, error, pattern, spans, origins, kind: "server", traces: spans, calls: spans * 12, p50_ms: 90, p95_ms: 400, p99_ms: 700, longest_ms: 900, usual_ms: 80, lost_ms: spans * 200,
    first_at: new Date(Date.now() - 3_000_000).toISOString(), last_at: new Date(Date.now() - 60_000).toISOString(),
    examples: [{ trace_id: "c0ffee00000000000000000000000004", span_id: "00000000000000a7", started_at: new Date(Date.now() - 60_000).toISOString(), duration_ns: 4e8 }],
  });
  const items = isSlow
    ? [one("catalog", "SELECT prices", "", "SELECT * FROM prices WHERE sku = ?", 240, 240), one("payments", "POST /charge", "", "", 80, 80)]
    : [one("payments", "POST api.bank.example/charge", "ConnectionResetError", "the bank hung up after ? ms", 7, 7), one("gateway", "POST /checkout", "HTTP 502", "", 7, 0)];
  return { items: isEmpty ? [] : items, spans: isEmpty ? 0 : items.reduce((sum, each) => sum + each.spans, 0), share: 1, next: null };
}

function comparison(): Comparison {
  const side = (traces: number, p50_ms: number) => ({ traces, sampled: Math.min(traces, 1000), spans: traces * 9, p50_ms, p95_ms: p50_ms * 2, mean_ms: p50_ms * 1.1 });
  return {
    chosen: side(390, 240),
    others: side(26_000, 110),
    contrasts: [
      { name: "service.version", value: "2.4.0", chosen: 382, others: 310, chosen_share: 0.98, others_share: 0.31, lift: 3.16, p_value: 1e-120, is_significant: true },
      { name: "user.id", value: "u-3", chosen: 20, others: 0, chosen_share: 0.05, others_share: 0, lift: null, p_value: 0.2, is_significant: false },
      ...Array.from({ length: 30 }, (_, at) => ({ name: "http.route", value: `/carts/of/${at}`, chosen: 19, others: 40, chosen_share: 0.05, others_share: 0.04, lift: 1.25, p_value: 0.3, is_significant: false })),
    ],
    growths: [{ service: "catalog", operation: "SELECT prices", chosen_self_ms: 98, others_self_ms: 11, growth_ms: 87, chosen_calls: 2, others_calls: 2 }],
    tested: 40,
  };
}

function map(): TraceMap {
  const rates = (calls: number, errors: number, p95_ms: number) => ({ calls, errors, p50_ms: p95_ms / 3, p95_ms, p99_ms: p95_ms * 1.4 });
  const edge = (source: string, target: string, connection: MapEdge["connection"], protocol: string, more: Partial<MapEdge> = {}): MapEdge => ({ source, target, connection, protocol, rates: rates(3600, 0, 60), before: rates(3500, 0, 60), changes: [], state: "fine", ...more });
  const service = (name: string) => ({ name, type: "service" as const, spans: 3600, rates: rates(3600, 0, 60) });
  return {
    nodes: [...["gateway", "orders", "payments", "catalog", "mailer", "pricing"].map(service), { name: "postgresql/orders", type: "database", spans: 0, rates: null }, { name: "orders", type: "messaging", spans: 0, rates: null }, { name: "api.bank.example", type: "external", spans: 0, rates: null }],
    edges: [
      edge("gateway", "orders", "call", "http", { rates: rates(3600, 240, 180), changes: ["more_errors", "slower"], state: "failing" }),
      edge("orders", "payments", "call", "grpc", { rates: rates(3600, 40, 90), changes: ["more_errors"], state: "worse" }),
      edge("orders", "catalog", "call", "http"),
      edge("orders", "postgresql/orders", "database", "postgresql"),
      edge("payments", "api.bank.example", "external", "http"),
      edge("orders", "orders", "to_topic", "kafka"),
      edge("orders", "mailer", "from_topic", "kafka", { changes: ["new"], before: null }),
      edge("gateway", "pricing", "call", "http", { rates: { calls: 0, errors: 0, p50_ms: null, p95_ms: null, p99_ms: null }, changes: ["gone"], state: "gone" }),
    ],
    share: 1,
    started_at: new Date(Date.now() - 3_600_000).toISOString(),
    seconds: 3600,
    before_at: new Date(Date.now() - 8 * 86_400_000).toISOString(),
    is_compared: true,
  };
}
