// Dashboards as values: variables in queries, panels that move, text that stays text, cells of heat maps.
import { describe, expect, it } from "vitest";
import { ALL, blankDocument, blankPanel, fillQuery, fillTitle, filterValues, firstChoice, freeId, literalNames, movePanel, movePanelToRow, moveRow, panelUnit, panelValue, placePanel, placeText, readVariableQuery, resizePanel, statusOf, variablesIn, withoutPanel, withPanel } from "@/lib/dashboards";
import type { MatrixSeries } from "@/api/prom";
import { begin, change, redo, undo } from "@/lib/history";
import { heatOf, isCumulated, MOST_ROWS } from "@/lib/heat";
import { refreshMs } from "@/pages/dashboards/panels/data";
import { readInline, readMarkdown } from "@/lib/markdown";
import type { DashboardDocument, DashboardVariable } from "@/api/types";

const context = { chosen: { job: ["api"], route: ["/a", "/b.c"], host: ["a.b(1)"], odd: ['say "a\\b"'], pattern: ["api.*"], all: [ALL], some: [ALL], own: [ALL], none: [] }, literals: new Set(["job", "route", "host", "odd", "all", "some", "own"]), all: { some: { pattern: "", options: ["a", "b.c"] }, own: { pattern: ".+", options: ["a"] } }, stepS: 15, rangeS: 3_600 };

describe("variables in a query", () => {
  it.each([
    ['up{job="$job"}', 'up{job="api"}'],
    ['up{job="${job}", x="[[job]]"}', 'up{job="api", x="api"}'],
    ['up{route=~"$route"}', 'up{route=~"(/a|/b\\\\.c)"}'],
    ['up{route=~"${route:pipe}"}', 'up{route=~"/a|/b.c"}'],
    ["up{route=~`$route`}", "up{route=~`(/a|/b\\.c)`}"],
    ['up{host="$host"}', 'up{host="a.b(1)"}'],
    ['up{host=~"$host"}', 'up{host=~"a\\\\.b\\\\(1\\\\)"}'],
    ["up{host!~`x|$host`}", "up{host!~`x|a\\.b\\(1\\)`}"],
    ['up{job=~"x", host="$host"}', 'up{job=~"x", host="a.b(1)"}'],
    ['up{host=~"${host:csv}"}', 'up{host=~"a.b(1)"}'],
    ['up{host="$odd"}', 'up{host="say \\"a\\\\b\\""}'],
    ["up{host='$odd'}", "up{host='say \"a\\\\b\"'}"],
    ["$host{host=`$odd`}", 'a.b(1){host=`say "a\\b"`}'],
    ['up{job=~"$pattern"}', 'up{job=~"api.*"}'],
    ['up{x=~"$all"}', 'up{x=~".*"}'],
    ['up{x=~"$some", y=~"$own"}', 'up{x=~"(a|b\\\\.c)", y=~".+"}'],
    ["sum by (${some:csv}) (up), [[route:csv]]", "sum by (a,b.c) (up), /a,/b.c"],
    ["${some:raw} ${some:pipe} ${some:glob} ${some:json}", 'a,b.c a|b.c {a,b.c} ["a","b.c"]'],
    ["${some:doublequote} ${some:singlequote} ${some:text}", "\"a\",\"b.c\" 'a','b.c' a + b.c"],
    ["${job:nobodyknows:this} ${job:json}", 'api "api"'],
    ["rate(x[$__rate_interval])", "rate(x[1m])"],
    ["rate(x[$__interval]) + $__range_s", "rate(x[15s]) + 3600"],
    ["$unknown", "$unknown"],
  ])("%s becomes %s", (text, filled) => expect(fillQuery(text, context)).toBe(filled));
  it("are no patterns where they are label values, or one of several", () => {
    const variable: DashboardVariable = { name: "a", kind: "query", query: "", label: "", options: [], multi: false, include_all: false, default: "", regex: "", all_value: "" };
    const names = (...changes: Partial<DashboardVariable>[]): string[] => [...literalNames(changes.map((change) => ({ ...variable, ...change })))];
    expect(names({}, { name: "b", kind: "custom" }, { name: "c", kind: "custom", multi: true }, { name: "d", kind: "text" })).toEqual(["a", "c"]);
  });
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
    const variable: DashboardVariable = { name: "a", kind: "query", query: "", label: "", options: [], multi: true, include_all: true, default: "b", regex: "", all_value: "" };
    expect(firstChoice(variable, ["a", "b"])).toEqual(["b"]);
    expect(firstChoice({ ...variable, default: "gone" }, ["a"])).toEqual([ALL]);
    expect(firstChoice({ ...variable, default: "", include_all: false }, ["a", "b"])).toEqual(["a"]);
    expect(firstChoice({ ...variable, kind: "text", default: "x" }, [])).toEqual(["x"]);
  });
});

describe("the values of a variable", () => {
  const found = ['up{instance="a:1",job="x"} 1 1000', 'up{instance="b:1",job="x"} 0 1000', 'up{instance="a:1",job="y"} 1 1000'];
  it("are those that a filter keeps, or a part of them, each once", () => {
    expect(filterValues(["a", "b", "a"], "")).toEqual(["a", "b"]);
    expect(filterValues(["api", "apis", "web"], "api.?")).toEqual(["api", "apis"]);
    expect(filterValues(["API", "web"], "/^a/i")).toEqual(["API"]);
    expect(filterValues(found, '/instance="([^"]+)"/')).toEqual(["a:1", "b:1"]);
    expect(filterValues(found, '/job="(?<text>.)".* (?<value>\\d+) /g')).toEqual(["1", "0"]);
    expect(() => filterValues([], "/(/")).toThrow();
  });
  it("are named by the queries that use them", () => expect([...variablesIn("$a ${b:csv} [[c:raw]] $$d $__range")]).toEqual(["a", "b", "c", "d", "__range"]));
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
    expect(heat.rows).toEqual([{ label: "0.1", low: null, values: [4] }, { label: "1", low: "0.1", values: [5] }, { label: "+Inf", low: "1", values: [1] }]);
    expect(heat.max).toBe(5);
  });
  it("show other series as they are", () => expect(heatOf([{ metric: { a: "b" }, values: [[1, "2"], [2, "NaN"]] }]).rows).toEqual([{ label: '{a="b"}', low: null, values: [2] }]));
  it("have what is below zero at the other end of the scale, and rows named by what tells them apart", () => {
    const heat = heatOf([{ metric: { job: "x", a: "b" }, values: [[1, "-4"]] }, { metric: { job: "x", a: "c" }, values: [[1, "2"]] }]);
    expect([heat.min, heat.max, heat.rows.map((row) => row.label)]).toEqual([-4, 2, ["b", "c"]]);
  });
  it("may be empty", () => expect(heatOf([])).toEqual({ times: [], rows: [], min: 0, max: 0, isBuckets: false }));

  const native = (time: number, ...buckets: [string, string, string][]): MatrixSeries => ({ metric: {}, histograms: [[time, { count: "0", sum: "0", buckets: buckets.map(([low, high, count]) => [0, low, high, count]) }]] });

  it("sum native histograms by bucket, and keep steps without one", () => {
    const heat = heatOf([native(10, ["1", "2", "3"], ["4", "8", "1"]), native(10, ["1", "2", "2"])], { start: 0, end: 20, step: 10 });
    expect(heat.times).toEqual([0, 10, 20]);
    expect(heat.rows).toEqual([
      { label: "2", low: "1", values: [null, 5, null] },
      { label: "4", low: "2", values: [null, 0, null] },
      { label: "8", low: "4", values: [null, 1, null] },
    ]);
    expect([heat.max, heat.isBuckets]).toEqual([5, true]);
  });

  it("share a coarse bucket out among finer ones, and lose nothing", () => {
    const heat = heatOf([native(1, ["1", "2", "4"], ["2", "4", "4"]), native(2, ["1", "4", "6"]), native(3, ["-Inf", "1", "2"], ["4", "+Inf", "7"])]);
    const of = (time: number) => heat.rows.map((row) => Math.round((row.values[heat.times.indexOf(time)] ?? 0) * 1000) / 1000);
    expect(heat.rows.map((row) => row.label)).toEqual(["1", "2", "4", "+Inf"]);
    expect(of(2)).toEqual([0, 3, 3, 0]);
    expect(of(3)).toEqual([2, 0, 0, 7]);
  });

  it("join neighbours of very many buckets", () => {
    const many = Array.from({ length: 160 }, (_, at): [string, string, string] => [String(1.1 ** at), String(1.1 ** (at + 1)), "1"]);
    const { rows } = heatOf([native(1, ...many)]);
    expect(rows.length).toBeLessThanOrEqual(MOST_ROWS);
    expect(rows.reduce((sum, row) => sum + (row.values[0] ?? 0), 0)).toBeCloseTo(160);
  });

  it("tell counts that have cumulated from what came when", () => {
    expect([isCumulated("h"), isCumulated("sum by (le) (rate(h_bucket[5m]))"), isCumulated("increase(h[1m])")]).toEqual([true, false, false]);
  });
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

describe("panels that are arranged", () => {
  const document: DashboardDocument = { ...blankDocument("x"), rows: [{ title: "One", collapsed: false, panels: ["a", "b", "c"].map((id) => ({ ...blankPanel(blankDocument("x")), id, title: id })) }, { title: "", collapsed: false, panels: [] }] };
  const ids = (one: DashboardDocument) => one.rows.map((row) => row.panels.map((panel) => panel.id).join(""));

  it("are put before and behind others, in their row and in another one", () => {
    expect(ids(placePanel(document, "a", 0, 1))).toEqual(["bac", ""]);
    expect(ids(placePanel(document, "c", 0, 0))).toEqual(["cab", ""]);
    expect(ids(placePanel(document, "b", 1, 0))).toEqual(["ac", "b"]);
    expect(ids(movePanelToRow(document, "c", 1))).toEqual(["ab", "c"]);
    expect(ids(movePanelToRow(placePanel(document, "a", 1, 0), "a", -1))).toEqual(["bca", ""]);
  });

  it("stay the same document where nothing changes", () => {
    expect(placePanel(document, "a", 0, 0)).toBe(document);
    expect(placePanel(document, "a", 7, 0)).toBe(document);
    expect(movePanelToRow(document, "a", -1)).toBe(document);
    expect(resizePanel(document, "a", { span: 6 })).toBe(document);
    expect(resizePanel(document, "nobody", { span: 3 })).toBe(document);
  });

  it("keep to the grid", () => {
    const sizes = (size: { span?: number; height?: number }) => resizePanel(document, "a", size).rows[0]?.panels[0];
    expect([sizes({ span: 40 })?.span, sizes({ span: -2 })?.span, sizes({ height: 99 })?.height]).toEqual([12, 1, 40]);
  });

  it("say where they are", () => {
    expect(placeText(document, "b", "move")).toBe("b is panel 2 of 3 in row One");
    expect(placeText(movePanelToRow(document, "b", 1), "b", "move")).toBe("b is panel 1 of 1 in row 2");
    expect(placeText(document, "b", "size")).toBe("b is 6 of 12 wide and 7 high");
  });
});

describe("how often panels ask", () => {
  it("is what the dashboard says, and no more than every five seconds", () => expect(["", "30s", "1s", "1m30s"].map(refreshMs)).toEqual([null, 30_000, 5_000, 90_000]));
});

describe("changes", () => {
  const typed = (...steps: [string, number, string?][]) => steps.reduce((history, [next, atMs, group]) => change(history, next, atMs, group), begin(""));

  it("are taken back one by one, and made again", () => {
    const made = typed(["a", 0], ["ab", 10]);
    const back = undo(made);
    expect([back.now, undo(back).now, undo(undo(back)).now]).toEqual(["a", "", ""]);
    expect([redo(back).now, redo(redo(back)).now, redo(made).now]).toEqual(["ab", "ab", "ab"]);
    expect(redo(change(back, "ac", 20)).now).toBe("ac");
  });

  it("of one group that follow each other soon are one", () => {
    const made = typed(["o", 0, "title"], ["on", 300, "title"], ["one", 900, "title"], ["once", 3_000, "title"], ["twice", 3_100, "folder"]);
    expect(made.past).toEqual(["", "one", "once"]);
    expect(undo(change(undo(made), "x", 3_200, "folder")).now).toBe("once");
  });

  it("that are given up halfway leave no step, and only so many are kept", () => {
    expect(change(typed(["a", 0, "size"]), "", 10, "size").past).toEqual([]);
    expect(typed(...Array.from({ length: 300 }, (_, at): [string, number] => [String(at), at])).past).toHaveLength(100);
  });
});
