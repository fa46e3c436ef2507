import { describe, expect, it } from "vitest";
import type { Finding } from "@/api/types";
import { aroundPath, aroundRange, evidencePath, findingName, layLanes, subjectOf, subjectOfAll, subjectOfQuery } from "@/lib/around";
import { cellPath, traceOfEvidence } from "@/lib/cells";
import { savedPath, viewOf } from "@/lib/saved";
import { readWish, sayWish } from "@/lib/traces/search";

const START = Date.parse("2026-01-01T12:00:00Z");
const MINUTE = 60_000;

function finding(minute: number, more: Partial<Finding> = {}): Finding {
  const at = new Date(START + minute * MINUTE).toISOString();
  const evidence = { kind: "promql" as const, query: "up", start: at, end: at };
  return { id: `${minute}/${more.title ?? ""}`, lane: "metrics", service: "orders", title: "up", moved_at: at, until: at, direction: "up", sure: 1, rank: 0.5, reason: "", unit: "", before: 0, now: 1, last_week: null, is_usual: false, others: 0, curve: [], evidence, ...more };
}

describe("lanes", () => {
  it("puts what moved at once into rows below each other, and later things beside earlier ones", () => {
    const [lane] = layLanes([finding(1, { title: "a" }), finding(1, { title: "b" }), finding(9, { title: "c" })], START, START + 10 * MINUTE);
    expect(lane?.bars.map(({ finding: one, row }) => [one.title, row])).toEqual([["a", 0], ["b", 1], ["c", 0]]);
    expect(lane?.bars[0]?.from).toBeCloseTo(0.1);
  });

  it("shows the highest ranked where there are too many, and counts the rest", () => {
    const many = Array.from({ length: 30 }, (_, at) => finding(1, { title: `m${at}`, rank: at / 30 }));
    const [lane] = layLanes(many, START, START + 10 * MINUTE);
    expect((lane?.bars.length ?? 0) + (lane?.left ?? 0)).toBe(30);
    expect(lane?.bars.some(({ finding: one }) => one.title === "m29")).toBe(true);
  });

  it("keeps room for the label before a late bar, so that no label is written over another", () => {
    const rowsOf = (...minutes: number[]) => layLanes(minutes.map((minute) => finding(minute)), START, START + 10 * MINUTE)[0]?.bars.map(({ row }) => row);
    expect(rowsOf(2, 7)).toEqual([0, 1]);
    expect(rowsOf(1, 9)).toEqual([0, 0]);
  });

  it("leaves out lanes without findings", () => {
    expect(layLanes([], START, START + MINUTE)).toEqual([]);
  });
});

describe("questions", () => {
  it("asks about what all series of a panel name, and about no pattern", () => {
    expect(subjectOfAll([{ job: "shop/orders", pod: "a" }, { job: "orders" }], [])).toEqual({ service: "orders" });
    expect(subjectOfAll([{ service: "orders" }, { service: "payments" }], ["sum by (service) (x)"])).toEqual({});
    expect(subjectOfAll([{}], ['sum(x{service="orders"})', 'y{job="shop/orders"}'])).toEqual({ service: "orders" });
    expect(subjectOfQuery('x{service=~"(orders|payments)"}')).toEqual({});
    expect(subjectOfQuery('x{service=~".*"}')).toEqual({});
  });

  it("asks about a whole time range, as far as the server looks", () => {
    const fixed = { kind: "fixed" as const, from: new Date(START), to: new Date(START + 30 * MINUTE) };
    expect(aroundRange(fixed, new Date())).toEqual({ at: new Date(START + 20 * MINUTE).toISOString(), window: "30m" });
    expect(aroundRange({ kind: "preset", preset: "7d" }, new Date())).toEqual({ at: "", window: "1d" });
  });

  it("asks about the service of a series, or about its labels", () => {
    expect(subjectOf({ __name__: "up", job: "shop/orders" })).toEqual({ service: "orders" });
    expect(subjectOf({ __name__: "up", pod: 'a"b' })).toEqual({ selector: '{pod="a\\"b"}' });
    expect(subjectOf({ __name__: "up" })).toBeNull();
    expect(subjectOfQuery('sum(rate(x{service_name="orders"}[5m]))')).toEqual({ service: "orders" });
    expect(subjectOfQuery("sum(up)")).toEqual({});
    expect(aroundPath({ service: "orders", window: "15m" })).toBe("/around?service=orders");
  });

  it("leads to the evidence over the time that was looked at", () => {
    expect(evidencePath(finding(1))).toContain("/explore?q=up&from=2026");
    const event = finding(1, { evidence: { ...finding(1).evidence, kind: "event" } });
    expect(evidencePath(event)).toContain("/events?service=orders&from=2026-01-01T12%3A00%3A00");
  });

  it("is named by its series, and by what happened where it is an event", () => {
    const one = finding(1, { title: "check.paused check/pay", reason: "Somebody stopped a check: check pay." });
    expect(findingName(one)).toBe("check.paused check/pay");
    expect(findingName({ ...one, evidence: { ...one.evidence, kind: "event" } })).toBe("Somebody stopped a check: check pay");
  });
});

describe("saved searches", () => {
  it("keep the view and not the time", () => {
    expect(viewOf(new URLSearchParams("q=up&range=6h&view=table&from=a&to=b"))).toBe("q=up&view=table");
    expect(savedPath({ kind: "metrics", view: "q=up&view=table", query: "up" })).toBe("/explore?q=up&view=table");
  });

  it("open also where a terminal saved them", () => {
    expect(savedPath({ kind: "logs", view: "", query: '{a="b"}' })).toBe("/logs?q=%7Ba%3D%22b%22%7D");
    const wish = readWish(new URLSearchParams("service=shop&min=1s&attributes=http.route%3D%2Fcart"));
    expect(sayWish(wish)).toBe("service=shop min_duration=1s http.route=/cart");
    const path = savedPath({ kind: "traces", view: "", query: sayWish(wish) });
    expect(readWish(new URLSearchParams(path.split("?")[1]))).toEqual(wish);
  });
});

describe("cells", () => {
  const content = { title: "", text: "", queries: ["up"], start: "2026-01-01T12:00:00Z", end: "2026-01-01T13:00:00Z", trace_id: "", span_id: "", line: null, finding: null };
  const cell = { id: "1", kind: "metrics" as const, content, evidence: { taken_at: null, data: {}, problem: "" }, version: 1, made_at: "", made_by: "", updated_at: "", updated_by: "" };

  it("lead to where they can be asked anew", () => {
    expect(cellPath(cell)).toBe("/explore?q=up&from=2026-01-01T12%3A00%3A00Z&to=2026-01-01T13%3A00%3A00Z");
    expect(cellPath({ ...cell, kind: "trace", content: { ...content, trace_id: "ab", span_id: "cd" } })).toBe("/traces/ab?span=cd");
    expect(cellPath({ ...cell, kind: "note" })).toBe("");
  });

  it("read kept spans", () => {
    const spans = { ids: ["a"], depths: [1], services: [0], names: [0], starts_ns: [5], durations_ns: [7], statuses: [2] };
    const trace = traceOfEvidence({ spans, names: ["GET /"], services: [{ name: "shop" }], count: 1, errors: 1, duration_ns: 12 });
    expect(trace?.spans).toEqual([{ id: "a", depth: 1, service: "shop", name: "GET /", startNs: 5, durationNs: 7, isFailed: true }]);
    expect(traceOfEvidence({})).toBeNull();
  });
});
