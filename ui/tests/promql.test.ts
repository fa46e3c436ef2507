// What the console reads out of PromQL and of messages about it, and how answers become curves.
import { CompletionContext } from "@codemirror/autocomplete";
import { ensureSyntaxTree } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { EqlSingle } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import type { VectorSeries } from "@/api/prom";
import { selectorOf } from "@/components/promql/client";
import { quotingStrategy } from "@/components/promql/quoting";
import { axisRange, type ChartSpec, formatUnit, increments } from "@/lib/chart";
import { explorePath, parseExploration, writeExploration } from "@/lib/explore";
import { formatNumber } from "@/lib/format";
import { durationSeconds, durationText, guessUnit, markedOf, medianGap, offsetOf, rateWindows, readNote, roundWindow } from "@/lib/promql";
import { dotsOf, drawParts, legendName, matrixOf, parseValue, seriesName, splitLabels, summarize, vectorOf } from "@/lib/promSeries";
import { seriesCsv, sortSeries } from "@/lib/seriesTable";
import { examplesFor } from "@/pages/metrics/Beginning";
import { firstQuery } from "@/pages/metrics/MetricBrowser";
import { labeller, lastWeekOf } from "@/pages/metrics/results";
import { withQueries } from "@/state/metricsHistory";

describe("messages of the server", () => {
  it("stand where they say", () => {
    const query = "sum(rate(up[5m)";
    expect(readNote('1:15: parse error: unexpected ")" in subquery', query, "error")).toEqual({ severity: "error", message: 'unexpected ")" in subquery', place: "column 15", from: 14, to: 15 });
  });
  it("count lines where there are several", () => {
    const query = "sum(\n  foo bar\n)";
    expect(readNote("invalid parameter \"query\": 2:7: parse error: unexpected identifier", query, "error")).toMatchObject({ place: "line 2, column 7", from: 11, to: 14 });
  });
  it("may name the place behind", () => {
    expect(readNote("PromQL info: metric might not be a counter (1:6)", "rate(foo[5m])", "info")).toMatchObject({ message: "PromQL info: metric might not be a counter", from: 5, to: 8 });
  });
  it("without a place are about all of it and mark nothing", () => {
    const note = readNote("too many samples", "up", "error");
    expect(note).toMatchObject({ place: null, message: "too many samples" });
    expect(markedOf("up", [note], "up")).toEqual([]);
  });
  it("count bytes, and are shown in letters", () => {
    expect(readNote('1:30: parse error: unexpected ")"', 'sum(rate(x{a="größe€"}[5m)', "error")).toMatchObject({ place: "column 26", from: 25, to: 26 });
    expect(readNote("2:8: parse error: x", 'x{a="ö"} +\n"😀" foo', "error")).toMatchObject({ place: "line 2, column 6", from: 16, to: 19 });
  });
  it("never point behind the text", () => {
    expect(offsetOf("up", 9, 40)).toBe(2);
    expect(readNote("1:9: parse error: x", "up", "error")).toMatchObject({ from: 2, to: 2 });
  });
  it("are of the text that was answered, and of no other", () => {
    const note = readNote("1:2: parse error: x", "up", "error");
    expect(markedOf("up", [note], "up")).toEqual([note]);
    expect(markedOf("up", [], "up")).toEqual([]);
    expect(markedOf("upp", [note], "up")).toBeNull();
  });
});

describe("windows of rates", () => {
  it("are found with their selectors, quotes and braces included", () => {
    expect(rateWindows('rate(a{b="}",c=~"x\\"y"}[1m]) + sum(increase(d[1h30m])) + avg_over_time(e[5m])')).toEqual([
      { fn: "rate", selector: 'a{b="}",c=~"x\\"y"}', window: "1m", windowS: 60 },
      { fn: "increase", selector: "d", window: "1h30m", windowS: 5_400 },
    ]);
  });
  it("are compared with how far samples are apart", () => {
    expect(medianGap([0, 15, 30, 60, 75])).toBe(15);
    expect(medianGap([0, 15])).toBeNull();
  });
  it.each([[20, "20s"], [22, "25s"], [60, "1m"], [61, "90s"], [240, "4m"], [301, "6m"]])("of %i s are proposed as %s", (seconds, text) => {
    expect(roundWindow(seconds)).toBe(text);
  });
  it("are read and written as PromQL does", () => {
    expect(durationSeconds("1d2h")).toBe(93_600);
    expect(durationSeconds("5 m")).toBeNaN();
    expect(durationText(7_200)).toBe("2h");
  });
});

describe("units", () => {
  it.each([
    ["process_resident_memory_bytes", "bytes"],
    ["rate(node_network_receive_bytes_total[5m])", "bytes_per_second"],
    ["histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m]))", "seconds"],
    ["1000 * histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m]))", "number"],
    ["rate(process_cpu_seconds_total[5m])", "number"],
    ["process_start_time_seconds", "number"],
    ["a_bytes / b_bytes", "number"],
    ["disk_used_ratio", "ratio"],
    ["sum by (service) (rate(http_request_duration_seconds_count{path=~\"/a.*\"}[5m]))", "per_second"],
    ["rate(http_requests_total[5m])", "per_second"],
    ["sum(rate(failed_total[5m])) / sum(rate(http_requests_total[5m]))", "number"],
    ["rate(http_requests_total[5m]) * 60", "number"],
    ["a_bytes * on (instance) group_left (version) build_info", "bytes"],
    ["increase(http_requests_total[5m])", "number"],
  ])("of %s: %s", (query, unit) => {
    expect(guessUnit([query])).toBe(unit);
  });
  it("that differ make a plain number", () => {
    expect(guessUnit(["a_bytes", "b_seconds"])).toBe("number");
  });
});

describe("curves", () => {
  const result = { resultType: "matrix" as const, result: [{ metric: { __name__: "up", job: "a" }, values: [[10, "1"], [20, "NaN"]] as [number, string][] }, { metric: { __name__: "up", job: "b" }, values: [[20, "0"]] as [number, string][] }] };
  it("share one axis, and what is no number is a gap", () => {
    const { times, series } = drawParts([{ query: 0, matrix: matrixOf(result), label: seriesName }], 10);
    expect(times).toEqual([10, 20]);
    expect(series.map((one) => [one.label, one.values])).toEqual([['up{job="a"}', [1, null]], ['up{job="b"}', [null, 0]]]);
  });
  it("of last week lie on this week's in the same colour", () => {
    const before = { ...result, result: [{ metric: { __name__: "up", job: "b" }, values: [[13, "7"]] as [number, string][] }] };
    const { times, series } = drawParts([{ query: 0, matrix: result.result, label: seriesName }, { query: 0, matrix: before.result, label: () => "then", shiftS: 7, isDashed: true }], 10);
    expect(times).toEqual([10, 20]);
    expect(series[2]).toMatchObject({ label: "then", isDashed: true, values: [null, 7], color: series[1]?.color });
  });
  it("are at most so many", () => {
    expect(drawParts([{ query: 0, matrix: result.result, label: seriesName }], 1).series).toHaveLength(1);
  });
  it("of histograms are their means", () => {
    const { series } = drawParts([{ query: 0, matrix: [{ metric: {}, histograms: [[5, { count: "4", sum: "10" }]] }], label: () => "h" }], 1);
    expect(series[0]?.values).toEqual([2.5]);
  });
  it("are named by what tells them apart", () => {
    const name = labeller(result.result.map((one) => one.metric), "A ");
    expect(name.shared).toBe("up");
    expect(name.name({ __name__: "up", job: "a" })).toBe('A {job="a"}');
    expect(splitLabels([{ a: "1", b: "2" }, { a: "1" }])).toEqual({ shared: { a: "1" }, varying: ["b"] });
  });
  it("are beside what the same ones were a week before, where not all are drawn", () => {
    const [a, b, c] = ["a", "b", "c"].map((job) => ({ metric: { job }, values: [[1, "1"]] as [number, string][] }));
    if (!a || !b || !c) throw new Error("three");
    expect(lastWeekOf([c, b, a], [a, b, c], 2)).toEqual([b, a]);
    expect(lastWeekOf([c], [a, b], 2)).toEqual([c]);
  });
  it("are summed up by last, least and most", () => {
    expect(summarize([null, 3, -1, 2, null])).toEqual({ last: 2, min: -1, max: 3 });
    expect(summarize([null])).toEqual({ last: null, min: null, max: null });
  });
  it("may be named by a template", () => {
    expect(legendName("{{ job }} at {{instance}}", { job: "a" })).toBe("a at ");
  });
  it("come of vectors and scalars too", () => {
    expect(vectorOf({ resultType: "scalar", result: [1, "2"] })).toEqual([{ metric: {}, value: [1, "2"] }]);
    expect(matrixOf({ resultType: "string", result: [1, "x"] })).toEqual([]);
    expect(parseValue("+Inf")).toBeNull();
  });
  it("have each exemplar once", () => {
    const one = { labels: { trace_id: "a" }, value: "0.2", timestamp: 5 };
    expect(dotsOf([{ seriesLabels: { le: "1" }, exemplars: [one] }, { seriesLabels: { le: "2" }, exemplars: [one] }]).dots).toHaveLength(1);
  });
  it("leave exemplars all over the time, with the highest and the lowest, where there are too many", () => {
    const exemplars = Array.from({ length: 8_000 }, (_, at) => ({ labels: { trace_id: `${at}` }, value: `${at % 100}`, timestamp: at < 4_000 ? at : at / 100 }));
    const { dots, count } = dotsOf([{ seriesLabels: {}, exemplars }], 400);
    expect(count).toBe(8_000);
    expect(dots.length).toBeLessThanOrEqual(400);
    const of = (from: number, to: number): number[] => dots.filter(({ atS }) => atS >= from && atS < to).map(({ value }) => value);
    for (const from of [0, 1_000, 2_000, 3_900]) {
      expect(of(from, from + 100)).toContain(99);
      expect(of(from, from + 100)).toContain(0);
    }
  });
});

describe("the axis", () => {
  const spec: Pick<ChartSpec, "unit" | "isFitted"> = { unit: "number", isFitted: true };
  it("begins at zero where zero is near", () => expect(axisRange(10, 100, spec)[0]).toBe(0));
  it("is fitted where it is far", () => expect(axisRange(95, 100, spec)[0]).toBeGreaterThan(90));
  it("begins at zero where nothing moves: fractions of an up that is 1 tell nothing", () => expect(axisRange(1, 1, spec)).toEqual([0, 1.5]));
  it.each([1e-20, 3e12, 1e18, 1e300, 1.7e308])("has lines and short numbers for %s", (top) => {
    const [low, high] = axisRange(0, top, spec);
    expect([low, Number.isFinite(high)]).toEqual([0, true]);
    expect(increments("number").some((one) => one > high / 6 && one < high)).toBe(true);
    expect(formatUnit(top, "number").length).toBeLessThan(10);
  });
  it("goes below zero", () => expect(axisRange(-3, 2, spec)).toEqual([-4, 2.5]));
  it("never is empty", () => expect(axisRange(0, 0, spec)).toEqual([0, 1]));
});

describe("numbers", () => {
  it.each([[0, "0"], [12.5, "12.5"], [999, "999"], [1_234, "1.23k"], [1_700_000_000, "1.70G"], [0.000421, "0.000421"], [3, "3"], [-1_500, "-1.50k"], [0.0143, "0.0143"], [0.185, "0.185"], [0.5, "0.5"], [999.4, "999"]])("%f reads %s", (value, text) => expect(formatNumber(value)).toBe(text));
});

describe("the address of an exploration", () => {
  it("carries everything and is read back", () => {
    const wanted = { queries: ["up", 'rate(a{b="c"}[5m])'], hidden: [1], view: "table" as const, isCompared: true, isStacked: true, hasExemplars: false, hasMarks: false, unit: "bytes", step: 30 };
    expect(parseExploration(new URLSearchParams(writeExploration(new URLSearchParams("range=6h"), wanted).toString()))).toEqual(wanted);
  });
  it("keeps the time range and leaves no trace of what is usual", () => {
    expect(writeExploration(new URLSearchParams("range=6h&view=table"), parseExploration(new URLSearchParams("q=up"))).toString()).toBe("range=6h&q=up");
  });
  it("does not break on nonsense", () => {
    expect(parseExploration(new URLSearchParams("view=cake&step=-1&hide=9,x"))).toMatchObject({ queries: [""], view: "graph", step: 0, hidden: [] });
  });
  it("leads to a query", () => expect(explorePath(["a b"])).toBe("/explore?q=a+b"));
});

describe("series as rows", () => {
  const rows = (...values: string[]): VectorSeries[] => values.map((value, at) => ({ metric: { x: `${at}` }, value: [60, value] }));
  const values = (series: readonly VectorSeries[]): (string | undefined)[] => series.map(({ value }) => value?.[1]);
  it("stand by their values, infinities at the ends, what is no number last", () => {
    const mixed = rows("NaN", "5", "+Inf", "1", "-Inf");
    expect(values(sortSeries(mixed, null, true))).toEqual(["+Inf", "5", "1", "-Inf", "NaN"]);
    expect(values(sortSeries(mixed, null, false))).toEqual(["-Inf", "1", "5", "+Inf", "NaN"]);
  });
  it("stand by a label, numbers in it as numbers", () => {
    expect(sortSeries([{ metric: { pod: "a10" } }, { metric: { pod: "a9" } }], "pod", false).map(({ metric }) => metric["pod"])).toEqual(["a9", "a10"]);
  });
  it("are saved with a column for each label", () => {
    expect(seriesCsv([{ metric: { __name__: "up", job: 'a,"b"' }, value: [0, "1"] }, { metric: { __name__: "up", zone: "eu" }, value: [0.5, "+Inf"] }])).toBe(
      '__name__,job,zone,time,value\r\nup,"a,""b""",,1970-01-01T00:00:00.000Z,1\r\nup,,eu,1970-01-01T00:00:00.500Z,+Inf\r\n',
    );
    expect(seriesCsv([{ metric: {}, histogram: [0, { count: "3", sum: "7" }] }])).toBe("time,value,count,sum\r\n1970-01-01T00:00:00.000Z,,3,7\r\n");
  });
  it("have names that PromQL takes", () => {
    expect(seriesName({ __name__: "queue.depth", "zone.name": "eu" })).toBe('{"queue.depth", "zone.name"="eu"}');
    expect(seriesName({ a: "x\u202eevil", b: "مرحبا" })).toBe('{a="x\\u202eevil", b="مرحبا"}');
    expect(seriesName({ "zone.name": "eu" })).toBe('{"zone.name"="eu"}');
    expect(seriesName({ __name__: "queue.depth" })).toBe('{"queue.depth"}');
  });
});

describe("completion", () => {
  const remote = {
    metricNames: async () => ["queue.depth", "queue_age"],
    metricMetadata: async () => ({}),
    labelNames: async () => ["zone.name", "job"],
    labelValues: async () => ["eu"],
    series: async () => [],
    flags: async () => ({}),
  };
  /** What stands there when the completion is taken; the bar is where one types. */
  const taken = async (text: string, label: string): Promise<string | undefined> => {
    const pos = text.indexOf("|");
    const state = EditorState.create({ doc: text.replace("|", ""), extensions: new PromQLExtension().asExtension() });
    ensureSyntaxTree(state, state.doc.length, 5000);
    const found = await quotingStrategy(remote).promQL(new CompletionContext(state, pos, true));
    const option = found?.options.find((one) => one.label === label);
    if (!found || !option) return undefined;
    return state.sliceDoc(0, found.from) + String(option.apply ?? option.label) + state.sliceDoc(found.to ?? pos);
  };
  it.each([
    ["queue|", "queue.depth", '{"queue.depth"}'],
    ["queue.d|", "queue.depth", '{"queue.depth"}'],
    ["rate(queue.|)", "queue.depth", 'rate({"queue.depth"})'],
    ['{"que|"}', "queue.depth", '{"queue.depth"}'],
    ["queue|", "queue_age", "queue_age"],
    ["queue_age{zo|}", "zone.name", 'queue_age{"zone.name"}'],
    ["queue_age{zone.n|}", "zone.name", 'queue_age{"zone.name"}'],
    ["sum by (zo|) (queue_age)", "zone.name", 'sum by ("zone.name") (queue_age)'],
    ["sum by (jo|) (queue_age)", "job", "sum by (job) (queue_age)"],
    ['{"zone.name"="|"}', "eu", '{"zone.name"="eu"}'],
    ['queue_age{job="e|"}', "eu", 'queue_age{job="eu"}'],
    ['sum by ("zo|") (queue_age)', "zone.name", 'sum by ("zone.name") (queue_age)'],
  ])("of %s puts what is no plain name in quotes", async (text, label, wanted) => {
    expect(await taken(text, label)).toBe(wanted);
  });
  it("asks for values with a selector that can be read", () => {
    expect(selectorOf("queue.depth", [{ name: "zone.name", type: EqlSingle, value: "eu", matchesEmpty: () => false }], "job")).toBe('{"queue.depth","zone.name"="eu"}');
    expect(selectorOf("up", [{ name: "job", type: EqlSingle, value: "a", matchesEmpty: () => false }], "instance")).toBe('up{job="a"}');
    expect(selectorOf("queue.depth", [], "job")).toBe('{"queue.depth"}');
  });
});

describe("what is offered", () => {
  it("is about metrics that are there", () => {
    expect(examplesFor(["up", "a_total", "a_created", "b"])).toEqual([
      { expr: "sum by (job) (up)", text: "targets that answer, by job" },
      { expr: "rate(a_total[5m])", text: "per second" },
      { expr: "b", text: "as it is" },
    ]);
  });
  it("is a rate of counters and a quantile of histograms", () => {
    expect(firstQuery("a_total", "counter")).toBe("rate(a_total[5m])");
    expect(firstQuery("a_bucket", "histogram")).toContain("histogram_quantile(0.95");
    expect(firstQuery("a", "gauge")).toBe("a");
    expect(firstQuery("queue.depth", "gauge")).toBe('{"queue.depth"}');
    expect(firstQuery("http.requests", "counter")).toBe('rate({"http.requests"}[5m])');
  });
  it("remembers each query once, the newest first", () => {
    expect(withQueries([{ expr: "up", at: "1" }, { expr: "a", at: "0" }], ["a", " "], "2")).toEqual([{ expr: "a", at: "2" }, { expr: "up", at: "1" }]);
  });
});
