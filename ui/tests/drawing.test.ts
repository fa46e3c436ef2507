import { describe, expect, it } from "vitest";
import { nextPlace, type Place, tellPlace } from "@/lib/chartKeys";
import { align, axisTexts, buildChart, formatUnit, niceTop, placeTip } from "@/lib/chart";
import { cssColor } from "@/lib/cssColor";
import { reachOf } from "@/lib/lanes";
import { layers } from "@/lib/layers";
import { legendRows } from "@/lib/legend";
import { clusterMarks, tellMarks } from "@/lib/marks";
import { waterfall } from "@/lib/phases";
import { seriesColor } from "@/lib/seriesColor";
import { sparkPath } from "@/lib/spark";

describe("charts", () => {
  it("stack by adding up, and leave a gap where nothing was measured at all", () => {
    const series = [
      { label: "a", color: "#000000", values: [1, null, 2] },
      { label: "b", color: "#000000", values: [10, null, null] },
    ];
    expect(buildChart.data({ times: [1, 2, 3], series, unit: "seconds", isStacked: true })).toEqual([[1, 2, 3], [1, null, 2], [11, null, 2]]);
  });
  it("put series with their own times onto one axis", () => {
    expect(align([[[1, 5], [3, 6]], [[2, 7]]])).toEqual({ times: [1, 2, 3], values: [[5, null, 6], [null, 7, null]] });
  });
  it("end at a round number above the data, in powers of two for memory", () => {
    expect(niceTop(0.09, "seconds")).toBeCloseTo(0.1);
    expect(niceTop(17 * 1024 ** 3, "bytes")).toBe(20 * 1024 ** 3);
    expect(niceTop(null, "percent")).toBe(1);
    expect(niceTop(0, "count")).toBe(1);
  });
  it("name their unit", () => {
    expect(formatUnit(2048, "bytes_per_second")).toBe("2 KiB/s");
    expect(formatUnit(0.25, "seconds")).toBe("250 ms");
    expect(formatUnit(null, "percent")).toBe("–");
  });
});

describe("many curves", () => {
  it("have thirty colours before one comes again", () => {
    const colors = Array.from({ length: 31 }, (_, at) => seriesColor(at));
    expect(new Set(colors).size).toBe(30);
    expect(colors[30]).toBe(colors[0]);
  });
  it("are drawn on the canvas in the colours of their legend", () => {
    expect(cssColor("color-mix(in srgb, #000000 60%, #ffffff)")).toBe("#666666");
    expect(cssColor("color-mix(in srgb, #2b58c9 100%, #ffffff)")).toBe("#2b58c9");
  });
  it("are told the greatest first where somebody asks for it, those without a number last", () => {
    const series = [[3, 1], [null, null], [2, 7]].map((values, at) => ({ label: `${at}`, color: "#000000", values }));
    expect(legendRows(series, null).map(({ one }) => one.label)).toEqual(["0", "1", "2"]);
    expect(legendRows(series, "last").map(({ one }) => one.label)).toEqual(["2", "0", "1"]);
    expect(legendRows(series, "min").map(({ one }) => one.label)).toEqual(["2", "0", "1"]);
  });
  it("have their tip whole inside of the window, however low the chart is", () => {
    const window = { width: 390, height: 800 };
    expect(placeTip({ left: 60, top: 700, width: 300 }, 200, { width: 260, height: 250 }, window)).toEqual({ x: 8, y: 542 });
    expect(placeTip({ left: 60, top: 100, width: 300 }, 10, { width: 100, height: 50 }, window)).toEqual({ x: 82, y: 108 });
  });
});

describe("events on a chart", () => {
  const mark = (atS: number, verdict: "up" | "down" | null = null) => ({ atS, text: `at ${atS}`, verdict });
  const clusters = (...marks: ReturnType<typeof mark>[]) => clusterMarks(marks, (atS) => atS, 100);

  it("become one mark with the worst of what they tell where they would stand upon each other", () => {
    const [first, second, ...rest] = clusters(mark(50, "up"), mark(10), mark(60, "down"), mark(55));
    expect([first?.marks.length, first?.verdict, first?.x]).toEqual([1, null, 10]);
    expect([second?.marks.map(({ atS }) => atS), second?.verdict, second?.x]).toEqual([[50, 55, 60], "down", 55]);
    expect(rest).toEqual([]);
  });
  it("are told where the pointer is: the first five, and how many more", () => {
    const many = clusters(...Array.from({ length: 8 }, (_, at) => mark(40 + at)));
    expect(tellMarks(many, 43)).toEqual(["at 40", "at 41", "at 42", "at 43", "at 44", "and 3 more"]);
    expect(tellMarks(many, 90)).toEqual([]);
  });
  it("of an hour full of them leave most of the chart free", () => expect(clusters(...Array.from({ length: 500 }, (_, at) => mark(at / 5))).length).toBeLessThan(6));
  it("outside of the window are left out", () => expect(clusters(mark(-1), mark(101))).toEqual([]));
});

describe("sparklines", () => {
  it("break where nothing was measured", () => expect(sparkPath([1, null, 2, 3], 40, 20).line.match(/M/g)).toHaveLength(2));
  it("draw nothing from nothing", () => expect(sparkPath([null, null], 40, 20)).toEqual({ line: "", area: "", last: null }));
  it("stand on zero when all is zero", () => expect(sparkPath([0, 0], 40, 20).last).toEqual([38, 18]));
  it("cap a lone spike, so that the rest keeps its shape", () => {
    const { line } = sparkPath([...Array.from({ length: 20 }, () => 1), 1_000], 100, 20);
    expect(line.startsWith("M2 14L")).toBe(true);
  });
});

it("a waterfall lays phases end to end and leaves out what did not happen", () => {
  const bars = waterfall({ dns_s: 0.01, connect_s: null, tls_s: null, first_byte_s: 0.03, transfer_s: 0 });
  expect(bars.map((bar) => bar.label)).toEqual(["DNS", "First byte", "Transfer"]);
  expect(bars[1]?.start).toBeCloseTo(0.25);
  expect(bars[1]?.width).toBeCloseTo(0.75);
});

describe("the map", () => {
  const edge = (text: string) => ({ from: text[0] ?? "", to: text[1] ?? "" });
  const layout = (names: string, ...edges: string[]) => layers([...names], edges.map(edge));
  it("puts whoever uses something left of it", () => {
    const { places } = layout("abc", "ab", "bc", "ac");
    expect([..."abc"].map((name) => places.get(name)?.column)).toEqual([0, 1, 2]);
  });
  it("gives an arrow that skips a column a lane of its own", () => {
    const { places, lanes } = layout("abc", "ab", "bc", "ac");
    expect(lanes.get("a>c")).toHaveLength(1);
    expect(lanes.get("a>c")?.[0]?.row).not.toBe(places.get("b")?.row);
    expect(lanes.get("a>b")).toEqual([]);
  });
  it("gives a lane less room than a box", () => {
    const { places, lanes } = layout("abcd", "ab", "ac", "bd", "cd", "ad");
    const rows = [places.get("b"), places.get("c"), lanes.get("a>d")?.[0]].map((place) => place?.row ?? 0).sort((a, b) => a - b);
    expect(rows.slice(1).map((row, at) => row - (rows[at] ?? 0)).reduce((sum, gap) => sum + gap, 0)).toBeLessThan(2);
    expect(reachOf(lanes.values(), { columnPx: 200, rowPx: 50, box: { width: 100, height: 20 } })).toEqual([0, 0].map(() => (lanes.get("a>d")?.[0]?.row ?? 0) * 50 + 10));
    expect(reachOf([[]], { columnPx: 200, rowPx: 50, box: { width: 100, height: 20 } })).toBeNull();
  });
  it("comes to an end on circles and on services that nobody described", () => {
    const { places } = layout("abc", "ab", "bc", "ca", "aa", "az");
    expect(places.size).toBe(3);
  });
});

describe("numbers on an axis", () => {
  it.each([
    [[0.18, 0.185, 0.19], "number", "0.18 0.185 0.19"],
    [[1_000.1, 1_000.2], "number", "1.0001k 1.0002k"],
    [[0, 50, 100], "percent", "0% 50% 100%"],
    [[0.05, 0.1], "seconds", "50 ms 100 ms"],
    [[2 ** 30, 2 ** 30 + 2 ** 20], "bytes", "1 GiB 1.001 GiB"],
  ] as const)("%s as %s read %s", (values, unit, texts) => expect(axisTexts(values, unit).join(" ")).toBe(texts));
});

describe("a chart that is read by keys", () => {
  const dot = (atS: number) => ({ atS, value: atS / 10, text: "lat", labels: [["trace_id", `t${atS}`]] as const });
  const spec = { times: [0, 10, 20], series: [{ label: "a", color: "", values: [1, null, 3] }, { label: "b", color: "", values: [4, null, 6], isHidden: true }], unit: "number", dots: [dot(18), dot(2)] } as const;
  const walk = (...keys: string[]): Place | null => keys.reduce<Place | null>((place, key) => nextPlace(key, spec, place) ?? place, null);

  it.each([
    [["ArrowLeft"], 2], [["ArrowLeft", "ArrowLeft"], 1], [["ArrowRight"], 0], [["Home"], 0], [["End", "ArrowRight"], 2], [["x"], undefined],
    [["ArrowDown"], 2], [["ArrowDown", "ArrowDown"], 0], [["ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"], 2], [["Home", "ArrowUp"], 0], [["Home", "ArrowRight", "ArrowDown"], 0],
  ] as const)("%s leads to the sample %s", (keys, index) => expect(walk(...keys)?.index).toBe(index));

  it("says what stands there", () => {
    expect(tellPlace(spec, { index: 2, dot: null })).toMatch(/: a 3$/);
    expect(tellPlace(spec, { index: 1, dot: null })).toMatch(/: no value$/);
    expect(tellPlace(spec, { index: 2, dot: dot(18) })).toMatch(/: exemplar of lat, 1.80, trace_id t18$/);
  });
});
