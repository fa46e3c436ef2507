import { describe, expect, it } from "vitest";
import { parseRange, rangeKey, rangeSearch, resolveRange, roundStep, spanSeconds, writeRange, zoomOut } from "@/lib/timerange";

const NOW = new Date("2026-03-01T12:00:00Z");
const parse = (text: string) => parseRange(new URLSearchParams(text));

describe("the range in the URL", () => {
  it("is an hour where nothing is said", () => expect(parse("")).toEqual({ kind: "preset", preset: "1h" }));
  it("knows the presets", () => expect(parse("range=7d")).toEqual({ kind: "preset", preset: "7d" }));
  it.each(["range=1000y", "range=constructor", "from=soup&to=2026-01-01", "from=2026-01-02T00:00Z&to=2026-01-01T00:00Z"])(
    "falls back instead of breaking on %s",
    (text) => expect(parse(text)).toEqual({ kind: "preset", preset: "1h" }),
  );
  it("survives a round trip as a fixed window", () => {
    const fixed = parse("from=2026-02-28T10:00:00.000Z&to=2026-02-28T11:30:00.000Z");
    expect(spanSeconds(fixed)).toBe(5_400);
    expect(parseRange(writeRange(new URLSearchParams("q=x"), fixed))).toEqual(fixed);
  });
  it("leaves other parameters alone and the default unwritten", () => {
    expect(writeRange(new URLSearchParams("q=x&range=7d"), { kind: "preset", preset: "1h" }).toString()).toBe("q=x");
    expect(rangeSearch(new URLSearchParams("q=x&range=7d"))).toBe("?range=7d");
    expect(rangeSearch(new URLSearchParams("q=x"))).toBe("");
  });
});

it("a preset follows the clock, and its key does not", () => {
  const range = parse("range=6h");
  expect(resolveRange(range, NOW).start.toISOString()).toBe("2026-03-01T06:00:00.000Z");
  expect(rangeKey(range)).toBe("6h");
});

it("zooming out doubles the window and never looks into the future", () => {
  const wider = zoomOut(parse("range=1h"), NOW);
  expect(spanSeconds(wider)).toBe(7_200);
  expect(resolveRange(wider, NOW).end).toEqual(NOW);
});

it.each([[900, 10], [3_600, 30], [86_400, 900], [604_800, 7_200], [7_776_000, 86_400]])("%s s are drawn in steps of %s s", (span, step) =>
  expect(roundStep(span)).toBe(step),
);
