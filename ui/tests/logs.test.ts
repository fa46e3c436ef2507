import { describe, expect, it, vi } from "vitest";
import { askLoki } from "@/api/loki";
import { nextWish } from "@/pages/logs/lines";
import { barsOf, totalsOf } from "@/pages/logs/volume";
import { situationOf } from "@/components/logql/completion";
import { exportLines, guessFields, isoOf, joinPatterns, linesOf, mergeLines, withoutColors } from "@/lib/logs";
import { isMetricQuery, levelsOf, matchersOf, readLogNote, topValues, wantedValue, withFilter, withLevels, withValue, wordsOf } from "@/lib/logql";
import { parseLogView, writeLogView } from "@/lib/logview";
import { indexAt } from "@/state/rows";

const stream = (values: [string, string, object?][], labels = { service_name: "orders" }) => ({ stream: labels, values }) as Parameters<typeof linesOf>[0][number];

describe("a query", () => {
  it("gives lines when it begins with its selector, and numbers otherwise", () => {
    expect(isMetricQuery('{a="b"} |= "x"')).toBe(false);
    expect(isMetricQuery('# why\n({a="b"})')).toBe(false);
    expect(isMetricQuery('sum(rate({a="b"}[5m]))')).toBe(true);
    expect(isMetricQuery("")).toBe(false);
  });

  it("is read past braces and quotes within values", () => {
    expect(matchersOf('{a="}\\"", b=~`c{2}`, d!="e"} | json')).toEqual([{ name: "a", op: "=", value: '}"' }, { name: "b", op: "=~", value: "c{2}" }, { name: "d", op: "!=", value: "e" }]);
  });

  it("takes another service, or any", () => {
    expect(withValue('{service_name="a", env="prod"} |= "x"', "service_name", "b")).toBe('{service_name="b", env="prod"} |= "x"');
    expect(withValue('{service_name="a"} |= "x"', "service_name", "")).toBe('{service_name=~".+"} |= "x"');
    expect(withValue("", "service_name", "a")).toBe('{service_name="a"}');
    expect(wantedValue('{service_name="a"}', "service_name")).toBe("a");
    expect(wantedValue('{service_name=~"a.*"}', "service_name")).toBe("");
  });

  it("takes levels right behind its selector", () => {
    const one = withLevels('{a="b"} | json', ["error"]);
    expect(one).toBe('{a="b"} | detected_level="error" | json');
    const two = withLevels(one, ["error", "warn"]);
    expect(two).toBe('{a="b"} | detected_level=~"error|warn" | json');
    expect(levelsOf(two)).toEqual(["error", "warn"]);
    expect(withLevels(two, [])).toBe('{a="b"} | json');
  });

  it("takes filters where they belong", () => {
    expect(withFilter('{a="b"}', { name: "pod", value: 'x"1', kind: "label" })).toBe('{a="b", pod="x\\"1"}');
    expect(withFilter('{a="b"}', { name: "a", value: "c", kind: "label", isOut: true })).toBe('{a="b", a!="c"}');
    expect(withFilter('{a="b"} |= "x"', { name: "trace_id", value: "1", kind: "metadata" })).toBe('{a="b"} | trace_id="1" |= "x"');
    expect(withFilter('{a="b"}', { name: "ms", value: "1", kind: "parsed", parser: "json", isOut: true })).toBe('{a="b"} | json | ms!="1"');
    expect(withFilter('{a="b"} | json', { name: "ms", value: "1", kind: "parsed", parser: "json" })).toBe('{a="b"} | json | ms="1"');
  });

  it("counts the values of a field, also of one in the line", () => {
    expect(topValues('{a="b"}', { name: "msg", parser: "json", spanS: 3600 })).toBe('topk(10, sum by (msg) (count_over_time({a="b"} | json | __error__="" | msg!="" [3600s])))');
  });

  it("has an error at its place", () => {
    expect(readLogNote("parse error at line 2, col 4: syntax error", '{a="b"}\n|= timeout')).toMatchObject({ message: "syntax error", place: "line 2, column 4", from: 11, to: 18 });
    expect(readLogNote("parse error : empty", "{").place).toBeNull();
  });

  it("says which words to mark", () => {
    expect(wordsOf('{a="b"} |= "x\\"y" != "z" |= `w`')).toEqual(['x"y', "w"]);
  });

  it("is completed by where the cursor stands", () => {
    expect(situationOf('{service_name="a", po')).toMatchObject({ kind: "label", word: "po" });
    expect(situationOf('{service_name="a", pod=~"x')).toMatchObject({ kind: "value", label: "pod", selector: '{service_name="a"}', from: 25 });
    expect(situationOf('{a="b"} | js')).toMatchObject({ kind: "stage", word: "js" });
    expect(situationOf("sum(ra")).toMatchObject({ kind: "function", word: "ra" });
    expect(situationOf('{a="b"} |= "wor')).toBeNull();
  });
});

describe("lines", () => {
  it("keep nanoseconds, levels and where each field comes from", () => {
    const [line] = linesOf([stream([["1795896095506556001", "hello", { structuredMetadata: { detected_level: "warning" }, parsed: { ms: "3" } }]])]);
    expect(line).toMatchObject({ ns: 1795896095506556001n, ms: 1795896095506, level: "warn", parsed: { ms: "3" }, labels: { service_name: "orders" } });
    expect(isoOf(line?.ns ?? 0n)).toMatch(/\.506556001Z$/);
  });

  it("that came twice in one answer stay two, and in two answers become one", () => {
    const twice = linesOf([stream([["10", "a"], ["10", "a"]])]);
    expect(mergeLines([twice, linesOf([stream([["10", "a"], ["11", "b"]])])], true).map((line) => line.text)).toEqual(["b", "a", "a"]);
  });

  it("are asked for page by page without leaving one of a moment out", () => {
    const wish = { expr: "{}", startNs: 0n, endNs: 100n, isNewestFirst: true, limit: 2 };
    const page = (values: [string, string][]) => ({ lines: linesOf([stream(values)]), wish, cost: { lines: 0, bytes: 0, seconds: 0 } });
    expect(nextWish(page([["9", "a"], ["8", "b"]]))?.endNs).toBe(9n);
    expect(nextWish(page([["9", "a"], ["9", "b"]]))?.endNs).toBe(9n);
    expect(nextWish(page([["9", "a"]]))).toBeUndefined();
  });

  it("show fields by themselves", () => {
    expect(guessFields('{"a":{"b-c":1},"d":null,"e":"f"}')).toEqual({ parser: "json", fields: { a_b_c: "1", e: "f" } });
    expect(guessFields('level=info msg="a b" ms=3')).toEqual({ parser: "logfmt", fields: { level: "info", msg: "a b", ms: "3" } });
    expect(guessFields("a plain line")).toBeNull();
  });

  it("are exported as text and as JSON", () => {
    const lines = linesOf([stream([["1000000000", "hello", { structuredMetadata: { detected_level: "info" } }]])]);
    expect(exportLines(lines, "text")).toBe("1970-01-01T00:00:01.000Z INFO hello\n");
    expect(JSON.parse(exportLines(lines, "json"))).toEqual([{ time: "1970-01-01T00:00:01.000000000Z", level: "info", line: "hello", labels: { service_name: "orders" }, metadata: { detected_level: "info" }, parsed: {} }]);
  });
});

describe("the volume", () => {
  const counts = { grid: { start: 0, end: 30, step: 10 }, result: [{ metric: { detected_level: "info" }, values: [[10, "2"], [30, "4"]] as [number, string][] }, { metric: { detected_level: "error" }, values: [[20, "1"]] as [number, string][] }] };
  it("has a bar where its step begins, what is wrong first", () => {
    expect(barsOf(counts)).toMatchObject({ times: [0, 10, 20], series: [{ label: "error", values: [null, 1, null] }, { label: "info", values: [2, null, 4] }] });
    expect(totalsOf(counts)).toEqual({ info: 6, error: 1 });
  });
});

describe("the address", () => {
  it("carries query, order, columns and what is open", () => {
    const params = new URLSearchParams('range=6h&q={a="b"}&direction=forward&columns=ms,msg&wrap=1');
    const view = parseLogView(params);
    expect(view).toMatchObject({ expr: '{a="b"}', isNewestFirst: false, columns: ["ms", "msg"], isWrapped: true, hasFields: false, isLive: false, tab: "lines" });
    expect(writeLogView(params, { ...view, isNewestFirst: true, columns: [] }).toString()).toBe("range=6h&q=%7Ba%3D%22b%22%7D&wrap=1");
  });
});

describe("rows of different heights", () => {
  it("are found by where they stand", () => {
    const tops = new Float64Array([0, 20, 60, 80]);
    expect([-5, 0, 19, 20, 59, 60, 500].map((px) => indexAt(tops, px))).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });
});

describe("patterns", () => {
  it("of several streams are one, with what came at each moment", () => {
    const found = joinPatterns([
      { pattern: "GET <_>", level: "info", samples: [[10, 1], [30, 2]] },
      { pattern: "GET <_>", level: "error", samples: [[20, 9]] },
      { pattern: "GET <_>", level: "info", samples: [[20, 4], [30, 1]] },
    ]);
    expect(found).toEqual([
      { pattern: "GET <_>", level: "error", count: 9, values: [0, 9, 0] },
      { pattern: "GET <_>", level: "info", count: 8, values: [1, 4, 3] },
    ]);
  });

  it("are shown without the colours of terminals, whose numbers may stand for any", () => {
    expect(withoutColors("\u001b[<_>mINFO\u001b[0;<_>m GET <_>")).toBe("INFO GET <_>");
  });
});

describe("a query that is refused", () => {
  it("says what is wrong in the words of Loki, and beside it what to do", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("max entries limit", { status: 400, headers: { "X-Holdfast-Hint": "ask for fewer lines" } })));
    await expect(askLoki("/query_range", { query: "{}" })).rejects.toMatchObject({ problem: { detail: "max entries limit", hint: "ask for fewer lines", status: 400 } });
    vi.unstubAllGlobals();
  });
});

it("shows the text of a line without the colours of a terminal", () => {
  expect(withoutColors("\u001b[1;31mfailed\u001b[0m [31m]")).toBe("failed [31m]");
  expect(withoutColors("plain")).toBe("plain");
});
