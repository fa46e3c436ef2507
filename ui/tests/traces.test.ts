import { describe, expect, it } from "vitest";
import { plainSpans } from "@/api/jaeger";
import { linesOf } from "@/api/traceQueries";
import { colorsOf } from "@/lib/traces/colors";
import { foldTrace, layFlame } from "@/lib/traces/flame";
import { growTrace } from "@/lib/traces/grow";
import type { PlainSpan } from "@/lib/traces/model";
import { collapseBelow, findRows, openRows, placeOf, reveal } from "@/lib/traces/rows";
import { addAttribute, isDuration, parseAttributes, readWish, writeWish } from "@/lib/traces/search";
import { frameOf, isWithin } from "@/pages/traces/Scatter";
import { huge } from "../mock/traces.ts";

function span(id: string, parentId: string, startUs: number, durationUs: number, more: Partial<PlainSpan> = {}): PlainSpan {
  return { id, parentId, service: "shop", name: id, kind: "internal", startUs, durationUs, isError: false, eventsUs: [], ...more };
}

/** A root that waits for b, then c; d runs beside c and is waited for by nobody. */
const SPANS = [span("c", "a", 50, 40), span("a", "", 0, 100), span("b", "a", 10, 30, { eventsUs: [15] }), span("d", "a", 55, 20, { isError: true }), span("e", "b", 12, 10)];

describe("a trace", () => {
  it("has its spans in the order of a waterfall, whatever order they came in", () => {
    const trace = growTrace("t", SPANS);
    expect(trace.names).toEqual(["a", "b", "e", "c", "d"]);
    expect([...trace.parents]).toEqual([-1, 0, 1, 0, 0]);
    expect([...trace.depths]).toEqual([0, 1, 2, 1, 1]);
    expect([...trace.ends]).toEqual([5, 3, 3, 4, 5]);
    expect([trace.durationUs, trace.errors, trace.root]).toEqual([100, 1, 0]);
    expect(trace.events.get(1)).toEqual([15]);
  });

  it("knows what each span did itself; children side by side count once", () => {
    expect([...growTrace("t", SPANS).selfTimes]).toEqual([30, 20, 10, 40, 20]);
  });

  it("covers its root with the critical path, without overlap", () => {
    const { critical } = growTrace("t", SPANS);
    const pieces = [...critical.values()].flat().sort((a, b) => a[0] - b[0]);
    expect(pieces.at(0)?.[0]).toBe(0);
    expect(pieces.at(-1)?.[1]).toBe(100);
    pieces.slice(1).forEach((piece, at) => expect(piece[0]).toBe(pieces[at]?.[1]));
    expect(critical.has(4)).toBe(false);
  });

  it("tells what has not come, clocks that differ, and when nothing ran", () => {
    const orphan = growTrace("t", [span("a", "gone", 0, 10), span("b", "a", -30, 5, { service: "bank" }), span("c", "a", 200, 10)]);
    expect(orphan.warnings.map((warning) => warning.code)).toEqual(["missing_root", "missing_parent", "clock_skew"]);
    expect(orphan.gaps).toEqual([[5, 30], [40, 230]]);
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
  const trace = growTrace("huge", plainSpans(huge(Date.now())));

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
    expect(readWish(params)).toEqual({ service: "orders", operation: "", attributes: "", min: "", max: "", status: "error", limit: 100 });
    expect(readWish(new URLSearchParams("limit=7&status=odd"))).toMatchObject({ limit: 100, status: "" });
  });

  it("frames durations by powers of ten, and chooses by time and duration", () => {
    const one = { id: "1", startUs: 500, durationUs: 2_000, rootService: "", rootName: "", spans: 1, errors: 0, services: {} };
    expect(frameOf([one, { ...one, durationUs: 90_000 }], 0, 1_000)).toEqual({ fromUs: 0, spanUs: 1_000, low: 3, high: 6 });
    const area = { fromUs: 400, untilUs: 600, leastUs: 1_000, mostUs: 3_000 };
    expect(isWithin(one, area)).toBe(true);
    expect(isWithin({ ...one, durationUs: 4_000 }, area)).toBe(false);
  });
});

it("colours services alike wherever they stand, and apart while there are colours", () => {
  const services = ["gateway", "orders", "payments", "catalog", "stock"];
  const colors = colorsOf(services);
  expect(new Set(colors.values()).size).toBe(5);
  expect(colorsOf([...services].reverse())).toEqual(colors);
  expect(colorsOf(Array.from({ length: 25 }, (_, at) => `s${at}`)).size).toBe(25);
});

it("orders the lines of several streams", () => {
  const stream = (service: string, ns: string) => ({ stream: { service_name: service, detected_level: "info" }, values: [[ns, service] as [string, string]] });
  const lines = linesOf({ data: { result: [stream("b", "1700000000000002000"), stream("a", "1700000000000001000")] } });
  expect(lines.map((line) => line.service)).toEqual(["a", "b"]);
  expect(lines[0]?.atUs).toBe(1_700_000_000_000_001);
});
