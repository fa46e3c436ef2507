// Dashboards as values: variables in queries, panels that move, text that stays text, cells of heat maps.
import { describe, expect, it } from "vitest";
import { ALL, blankDocument, blankPanel, fillQuery, fillTitle, firstChoice, freeId, movePanel, moveRow, panelUnit, panelValue, readVariableQuery, statusOf, withoutPanel, withPanel } from "@/lib/dashboards";
import { heatOf } from "@/lib/heat";
import { readInline, readMarkdown } from "@/lib/markdown";
import type { DashboardDocument, DashboardVariable } from "@/api/types";

const context = { chosen: { job: ["api"], route: ["/a", "/b.c"], all: [ALL], none: [] }, stepS: 15, rangeS: 3_600 };

describe("variables in a query", () => {
  it.each([
    ['up{job="$job"}', 'up{job="api"}'],
    ['up{job="${job}", x="[[job]]"}', 'up{job="api", x="api"}'],
    ['up{route=~"$route"}', 'up{route=~"(/a|/b\\\\.c)"}'],
    ['up{route=~"${route:pipe}"}', 'up{route=~"/a|/b.c"}'],
    ['up{x=~"$all"}', 'up{x=~".*"}'],
    ["rate(x[$__rate_interval])", "rate(x[1m])"],
    ["rate(x[$__interval]) + $__range_s", "rate(x[15s]) + 3600"],
    ["$unknown", "$unknown"],
  ])("%s becomes %s", (text, filled) => expect(fillQuery(text, context)).toBe(filled));
  it("are words in a title", () => expect(fillTitle("$job on $route, $all", context.chosen)).toBe("api on /a, /b.c, all"));
});

describe("what a variable asks", () => {
  it.each([
    ["label_values(job)", { kind: "values", label: "job", match: "" }],
    ['label_values(up{a="b,c"}, job)', { kind: "values", label: "job", match: 'up{a="b,c"}' }],
    ["label_names()", { kind: "labels", match: "" }],
    ["metrics(node_.*)", { kind: "names", pattern: "node_.*" }],
    ["query_result(topk(3, up))", { kind: "query", expr: "topk(3, up)" }],
    ["count by (job) (up)", { kind: "query", expr: "count by (job) (up)" }],
  ])("%s", (text, wanted) => expect(readVariableQuery(text)).toEqual(wanted));
  it("is first its default, else all, else the first", () => {
    const variable: DashboardVariable = { name: "a", kind: "query", query: "", label: "", options: [], multi: true, include_all: true, default: "b" };
    expect(firstChoice(variable, ["a", "b"])).toEqual(["b"]);
    expect(firstChoice({ ...variable, default: "gone" }, ["a"])).toEqual([ALL]);
    expect(firstChoice({ ...variable, default: "", include_all: false }, ["a", "b"])).toEqual(["a"]);
    expect(firstChoice({ ...variable, kind: "text", default: "x" }, [])).toEqual(["x"]);
  });
});

describe("panels", () => {
  const start = (): DashboardDocument => {
    const panel = (id: string) => ({ ...blankPanel(blankDocument("t")), id });
    return { ...blankDocument("t"), rows: [{ title: "1", collapsed: false, panels: [panel("a"), panel("b")] }, { title: "2", collapsed: false, panels: [panel("c")] }] };
  };
  const ids = (document: DashboardDocument): string[] => document.rows.map((row) => row.panels.map((panel) => panel.id).join(""));
  it("move within a row and over its edge", () => {
    expect(ids(movePanel(start(), "a", 1))).toEqual(["ba", "c"]);
    expect(ids(movePanel(start(), "b", 1))).toEqual(["a", "bc"]);
    expect(ids(movePanel(start(), "c", -1))).toEqual(["abc", ""]);
    expect(ids(movePanel(start(), "a", -1))).toEqual(["ab", "c"]);
  });
  it("are put, replaced and taken away", () => {
    const added = withPanel(start(), 1, { ...blankPanel(start()), id: "d" });
    expect(ids(added)).toEqual(["ab", "cd"]);
    expect(withPanel(added, 0, { ...blankPanel(start()), id: "d", title: "new" }).rows[1]?.panels[1]?.title).toBe("new");
    expect(ids(withoutPanel(added, "a"))).toEqual(["b", "cd"]);
  });
  it("get an id that nobody has", () => {
    const document = withPanel(blankDocument("t"), 0, { ...blankPanel(blankDocument("t")), id: "p2" });
    expect(freeId(document)).toBe("p3");
  });
  it("stand in rows that move", () => expect(moveRow(start().rows, 1, -1).map((row) => row.title)).toEqual(["2", "1"]));
});

describe("values", () => {
  it("are shown in the panel's unit and digits", () => {
    expect(panelValue(1_500, { unit: "milliseconds", decimals: null })).toBe("1.50 s");
    expect(panelValue(0.1234, { unit: "ratio", decimals: 1 })).toBe("12.3%");
    expect(panelValue(12.345, { unit: "requests/s", decimals: 2 })).toBe("12.35 requests/s");
    expect(panelValue(null, { unit: "", decimals: null })).toBe("–");
    expect(panelUnit("parsecs")).toEqual({ unit: "number", factor: 1, suffix: " parsecs" });
  });
  it("have the status of the highest threshold that they reach", () => {
    const thresholds = [{ value: 80, status: "down" }, { value: 0, status: "up" }];
    expect(statusOf(79, { thresholds })).toBe("up");
    expect(statusOf(80, { thresholds })).toBe("down");
    expect(statusOf(-1, { thresholds })).toBeNull();
    expect(statusOf(null, { thresholds })).toBeNull();
  });
});

describe("heat maps", () => {
  it("take what is cumulated apart, and sort by bound", () => {
    const heat = heatOf([
      { metric: { le: "+Inf" }, values: [[1, "10"]] },
      { metric: { le: "0.1" }, values: [[1, "4"]] },
      { metric: { le: "1" }, values: [[1, "9"]] },
    ]);
    expect(heat.rows).toEqual([{ label: "0.1", values: [4] }, { label: "1", values: [5] }, { label: "+Inf", values: [1] }]);
    expect(heat.max).toBe(5);
  });
  it("show other series as they are", () => expect(heatOf([{ metric: { a: "b" }, values: [[1, "2"], [2, "NaN"]] }]).rows).toEqual([{ label: '{a="b"}', values: [2] }]));
  it("may be empty", () => expect(heatOf([])).toEqual({ times: [], rows: [], max: 0 }));
});

describe("Markdown", () => {
  it("knows headings, lists, code and paragraphs", () => {
    expect(readMarkdown("# A\nb\nc\n\n- d\n- e\n\n```\n<f>\n```\n---").map((block) => block.kind)).toEqual(["heading", "paragraph", "list", "code", "rule"]);
  });
  it("leaves HTML and dangerous links as text", () => {
    expect(readInline("<img src=x onerror=alert(1)>")).toEqual([{ kind: "text", text: "<img src=x onerror=alert(1)>" }]);
    for (const href of ["javascript:alert(1)", "data:text/html,x", "//evil.example"]) expect(readInline(`[a](${href})`).every((part) => part.kind !== "link" || part.href.startsWith("https"))).toBe(true);
  });
  it("makes links of addresses and of names", () => {
    expect(readInline("see https://a.example/b and [c](/d) **e** `f`")).toEqual([
      { kind: "text", text: "see " },
      { kind: "link", text: "https://a.example/b", href: "https://a.example/b" },
      { kind: "text", text: " and " },
      { kind: "link", text: "c", href: "/d" },
      { kind: "text", text: " " },
      { kind: "strong", text: "e" },
      { kind: "text", text: " " },
      { kind: "code", text: "f" },
    ]);
  });
  it("ends, whatever is written", () => {
    for (const text of ["```", "#", "- ", "*", "[a](", "**", "1. a\nb\n# c"]) expect(readMarkdown(text).length).toBeGreaterThan(0);
  });
});
