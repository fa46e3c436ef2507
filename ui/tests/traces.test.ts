import { describe, expect, it } from "vitest";
import { linesOf } from "@/api/traceQueries";
import { colorsOf } from "@/lib/traces/colors";
import { foldTrace, layFlame } from "@/lib/traces/flame";
import { readDocument } from "@/lib/traces/document";
import { cellsOf, readNs, rowsOf } from "@/lib/traces/heat";
import { edgeSearch, endsOf, mapPath, neighbourhood, nodeId, nodeName, shapeOf, sortEdges } from "@/lib/traces/map";
import { carryRows, collapseBelow, findRows, openRows, placeOf, reveal } from "@/lib/traces/rows";
import { addAttribute, isDuration, parseAttributes, readPart, readWish, searchPath, selectionOf, withRoots, writeNs, writePart, writeWish } from "@/lib/traces/search";
import { answerFindings } from "../mock/findings.ts";
import { growTrace, type PlainSpan } from "../mock/grow.ts";
import { documentOf, huge, order } from "../mock/traces.ts";

function span(id: string, parentId: string, startUs: number, durationUs: number, more: Partial<PlainSpan> = {}): PlainSpan {
  return { id, parentId, service: "shop", name: id, kind: "internal", startUs, durationUs, isError: false, eventsUs: [], ...more };
}

/** A root that waits for b, then c; d runs beside c and is waited for by nobody. */
const SPANS = [span("c", "a", 50, 40), span("a", "", 0, 100), span("b", "a", 10, 30, { eventsUs: [15] }), span("d", "a", 55, 20, { isError: true }), span("e", "b", 12, 10)];

describe("a trace", () => {
  it("has its spans in other rows when more of them come", () => {
    const [before, after] = [growTrace("t", SPANS), growTrace("t", [...SPANS, span("f", "a", 1, 5)])];
    const rows = carryRows(before, after, SPANS.map(({ id }) => before.ids.indexOf(id)));
    expect(rows.map((row) => after.ids[row])).toEqual(SPANS.map(({ id }) => id));
    expect(carryRows(after, before, [after.ids.indexOf("f")])).toEqual([-1]);
  });

  it("has its spans in the order of a waterfall, whatever order they came in", () => {
    const trace = growTrace("t", SPANS);
    expect(trace.names).toEqual(["a", "b", "e", "c", "d"]);
    expect([...trace.parents]).toEqual([-1, 0, 1, 0, 0]);
    expect([...trace.depths]).toEqual([0, 1, 2, 1, 1]);
    expect([...trace.ends]).toEqual([5, 3, 3, 4, 5]);
    expect([trace.durationUs, trace.errors, trace.root]).toEqual([100, 1, 0]);
    expect(trace.events.get(1)).toEqual([15]);
  });

  it("is read from the server's document as it was told there", () => {
    const made = order(4, Date.now());
    const trace = readDocument(documentOf(made));
    expect(trace.names.slice(0, 3)).toEqual(["POST /checkout", "POST /orders", "validate basket"]);
    expect([...trace.ends]).toEqual([9, 9, 3, 5, 5, 7, 7, 8, 9]);
    expect([trace.count, trace.errors, trace.kinds[0]]).toEqual([9, 3, "server"]);
    expect(trace.durationUs).toBeCloseTo(240_000 * 9);
    expect(trace.events.size).toBe(1);
    const pieces = [...trace.critical.values()].flat().sort((a, b) => a[0] - b[0]);
    expect(pieces.at(0)?.[0]).toBe(0);
    pieces.slice(1).forEach((piece, at) => expect(piece[0]).toBeCloseTo(pieces[at]?.[1] ?? -1));
  });

  it("says which calls were repeated", () => {
    const document = { ...documentOf(order(4, Date.now())), repetitions: [{ kind: "n_plus_one" as const, parent: 1, service: "orders", name: "SELECT", statement: "SELECT ?", count: 12, distinct: 1, busy_ns: 5e6, at_once: 1, rows: [2, 3] }] };
    expect(readDocument(document).warnings.at(-1)).toMatchObject({ message: "orders: SELECT was called 12 times by one span, one after the other, the very same each time; they took 5 ms. SELECT ?", rows: [2, 3] });
  });

  it("tells calls that many spans repeat alike once, and no long list of others", () => {
    const one = (name: string, parent: number) => ({ kind: "fan_out" as const, parent, service: "orders", name, statement: "", count: 12, distinct: 1, busy_ns: 5e6, at_once: 8, rows: [2] });
    const document = { ...documentOf(order(4, Date.now())), repetitions: [one("a", 1), one("a", 2), ...["b", "c", "d", "e", "f"].map((name) => one(name, 1))] };
    const told = readDocument(document).warnings.map((warning) => warning.message).filter((message) => /called|repeated/.test(message));
    expect(told).toHaveLength(5);
    expect(told[0]).toBe("orders: a was called 24 times by 2 spans, up to 8 at once; they took 10.0 ms.");
    expect(told[4]).toBe("2 more calls of other kinds were repeated like this.");
  });

  it("survives a circle of parents and a span that is its own", () => {
    const trace = growTrace("t", [span("a", "b", 0, 10), span("b", "a", 1, 5), span("c", "c", 2, 1)]);
    expect(trace.count).toBe(3);
    expect([...trace.parents].filter((parent) => parent === -1)).toHaveLength(2);
  });

  it("is empty without spans", () => {
    expect(growTrace("t", []).count).toBe(0);
  });
});

describe("rows of a waterfall", () => {
  const trace = growTrace("t", SPANS);

  it("hides what is below a collapsed span, and reveals it again", () => {
    const collapsed = new Set([1]);
    expect([...openRows(trace, collapsed)]).toEqual([0, 1, 3, 4]);
    expect(reveal(trace, collapsed, 2)).toEqual(new Set());
    expect(collapseBelow(trace, 1)).toEqual(new Set([1]));
  });

  it("finds the place of a row, or of the one that hides it", () => {
    const rows = openRows(trace, new Set([1]));
    expect(placeOf(rows, 3)).toBe(2);
    expect(placeOf(rows, 2)).toBe(1);
  });

  it("finds spans by words of name, service and error", () => {
    expect([...findRows(trace, "shop d")]).toEqual([4]);
    expect([...findRows(trace, "error")]).toEqual([4]);
    expect([...findRows(trace, " ")]).toEqual([]);
  });
});

describe("a trace of 100,000 spans", () => {
  const trace = readDocument(documentOf(huge(Date.now())));

  it("is laid out whole", () => {
    expect(trace.count).toBe(100_000);
    expect(openRows(trace, new Set())).toHaveLength(100_000);
    expect(openRows(trace, collapseBelow(trace, 1))).toHaveLength(1_001);
  });

  it("folds into a flame of few blocks", () => {
    const top = foldTrace(trace);
    const boxes = layFlame(top, 0.0015);
    expect(boxes.length).toBeLessThan(2_500);
    expect(top.totalUs).toBeCloseTo(trace.selfTimes.reduce((sum, own) => sum + own, 0));
  });
});

describe("a search", () => {
  it("reads attributes as people write them", () => {
    expect(parseAttributes('http.status_code=500 user="a \\"b\\" c" empty=')).toEqual({ "http.status_code": "500", user: 'a "b" c', empty: "" });
    expect(parseAttributes("")).toEqual({});
    expect(parseAttributes("just words")).toBeNull();
    expect(parseAttributes(addAttribute("a=1", "b", 'x "y"'))).toEqual({ a: "1", b: 'x "y"' });
  });

  it("knows durations", () => {
    expect(["", "250us", "100ms", "1.5s", "1m30s"].map(isDuration)).not.toContain(false);
    expect(["100", "fast", "ms", "-1s"].map(isDuration)).not.toContain(true);
  });

  it("stands in the address, and leaves no trace of what is not asked", () => {
    const params = writeWish(new URLSearchParams("range=6h&min=1s"), { service: "orders", min: "", status: "error", limit: 100 });
    expect(params.toString()).toBe("range=6h&service=orders&status=error");
    expect(readWish(params)).toEqual({ service: "orders", operation: "", attributes: "", min: "", max: "", status: "error", spans: "", limit: 100 });
    expect(readWish(new URLSearchParams("limit=7&status=odd"))).toMatchObject({ limit: 100, status: "" });
  });

  it("is what the server takes", () => {
    const wish = readWish(new URLSearchParams("service=orders&attributes=a%3D1&min=5ms&status=ok&spans=root"));
    expect(selectionOf(wish)).toEqual({ service: "orders", operation: "", attribute: ["a=1"], min_duration: "5ms", max_duration: "", roots: true });
    expect(selectionOf({ ...wish, status: "error", spans: "server" })).toMatchObject({ status: "error", kind: "server" });
    expect(withRoots(readWish(new URLSearchParams())).spans).toBe("root");
    expect(withRoots(wish).spans).toBe("root");
    expect(withRoots({ ...wish, spans: "" }).spans).toBe("");
    expect(searchPath({ service: "a b", spans: "client" }, "/traces/groups")).toBe("/traces/groups?service=a+b&spans=client");
  });

  it("stands beside another one in the address", () => {
    const params = writeWish(new URLSearchParams("service=orders"), { service: "cart" }, "b.");
    expect([readWish(params).service, readWish(params, "b.").service]).toEqual(["orders", "cart"]);
  });

  it("keeps a part of the time", () => {
    const part = { fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000 };
    expect(readPart(writePart(part))).toEqual(part);
    expect([readPart(""), readPart("1700000060000-1700000000000"), readPart("x")]).toEqual([null, null, null]);
  });
});

describe("durations over time", () => {
  const latency = { started_at: "2026-01-01T00:00:00Z", step_ns: 60e9, columns: 10, bounds_ns: [0, 1000, 10e6, 100e6], times: [], rows: [], spans: [], failed: [], total: 1, total_failed: 0, p50_ms: 1, p95_ms: 1, p99_ms: 1, share: 1 };
  const start = Date.parse(latency.started_at);

  it("are chosen by whole cells", () => {
    expect(cellsOf(latency, { left: 0.15, right: 0.31, top: 0.1, bottom: 0.2 })).toEqual({ part: { fromMs: start + 60_000, toMs: start + 240_000 }, min: "10ms", max: "" });
    expect(cellsOf(latency, { left: 0, right: 1, top: 0.5, bottom: 0.99 })).toEqual({ part: null, min: "", max: "10ms" });
  });

  it("are drawn where they were chosen", () => {
    expect(rowsOf(latency, "10ms", "")).toEqual([2 / 3, 1]);
    expect(rowsOf(latency, "", "10ms")).toEqual([0, 2 / 3]);
    expect(rowsOf(latency, "", "9h")).toEqual([0, 1]);
  });

  it("are written as a search reads them", () => {
    expect([0, 999, 1500, 46e6, 1.5e9, 12_345_678].map(writeNs)).toEqual(["0ns", "999ns", "1.5us", "46ms", "1.5s", "12.345678ms"]);
    expect(["0ns", "1m30s", "12.345678ms"].map(readNs)).toEqual([0, 90e9, 12_345_678]);
  });
});

describe("the map of calls", async () => {
  const map = (await answerFindings("map", new URLSearchParams(), false)?.json()) as Parameters<typeof shapeOf>[0];

  it("tells a topic from a service of the same name", () => {
    expect(map.edges.map(endsOf)).toContainEqual(["service:orders", "messaging:orders"]);
    expect(map.edges.map(endsOf)).toContainEqual(["messaging:orders", "service:mailer"]);
  });

  it("keeps its shape while only figures change, whatever order they come in", () => {
    const later = { ...map, edges: map.edges.map((edge) => ({ ...edge, state: "fine" as const })).reverse(), nodes: [...map.nodes].reverse() };
    expect(shapeOf(later).key).toBe(shapeOf(map).key);
    expect(shapeOf({ ...map, edges: map.edges.slice(1) }).key).not.toBe(shapeOf(map).key);
  });

  it("is narrowed to one node, those who call it and those whom it calls", () => {
    const part = neighbourhood(map, "service:orders");
    expect(part.edges.length).toBeLessThan(map.edges.length);
    expect(part.edges).toEqual(map.edges.filter((edge) => endsOf(edge).includes("service:orders")));
    expect(new Set(part.nodes.map(nodeId))).toEqual(new Set(part.edges.flatMap(endsOf)));
    expect(neighbourhood(map, "service:nobody")).toMatchObject({ nodes: [], edges: [] });
    expect(mapPath("messaging:orders")).toBe("/traces/map?of=messaging%3Aorders");
    expect(nodeName("database:sqlite/a:b")).toBe("sqlite/a:b");
  });

  it("lists the worst first, and finds the traces of each edge", () => {
    expect(sortEdges(map.edges).map((edge) => edge.state).slice(0, 4)).toEqual(["failing", "worse", "gone", "fine"]);
    const paths = map.edges.map((edge) => decodeURIComponent(edgeSearch(edge)));
    expect(paths).toContain("/traces?service=orders&status=error".replace("&status=error", ""));
    expect(paths).toContain("/traces?service=orders&spans=client&attributes=db.name=orders");
    expect(paths).toContain("/traces?service=mailer&spans=consumer&attributes=messaging.destination.name=orders");
  });
});

it("colours services alike wherever they stand, and apart while there are colours", () => {
  const services = ["gateway", "orders", "payments", "catalog", "stock"];
  const colors = colorsOf(services);
  expect(new Set(colors.values()).size).toBe(5);
  expect(colorsOf([...services].reverse())).toEqual(colors);
  expect(colorsOf(Array.from({ length: 25 }, (_, at) => `s${at}`)).size).toBe(25);
  expect(new Set(colorsOf(Array.from({ length: 25 }, (_, at) => `s${at}`)).values()).size).toBe(25);
});

it("orders the lines of several streams", () => {
  const stream = (service: string, ns: string) => ({ stream: { service_name: service, detected_level: "info" }, values: [[ns, service] as [string, string]] });
  const lines = linesOf({ data: { result: [stream("b", "1700000000000002000"), stream("a", "1700000000000001000")] } });
  expect(lines.map((line) => line.service)).toEqual(["a", "b"]);
  expect(lines[0]?.atUs).toBe(1_700_000_000_000_001);
});
