import { beforeAll, describe, expect, it } from "vitest";
import type { CheckSummary, LogEvent } from "@/api/types";
import { filterChecks, parseSort, sortChecks, WORST_FIRST, writeSort } from "@/lib/checks";
import { leadCheck } from "@/lib/services";
import { countVerdicts, severity, worst } from "@/lib/status";
import { entityName, matchesText, safeUrl, sentence } from "@/lib/text";
import { withEvent } from "@/state/events";
import { merge } from "@/state/motion";
import { CHECKS } from "../mock/catalog";
import { createWorld, summaryOf } from "../mock/world";

let checks: CheckSummary[];
beforeAll(() => {
  const world = createWorld("failing");
  checks = CHECKS.map((check) => summaryOf(world, check));
});

describe("filtering checks", () => {
  it("takes every word, anywhere, in any case", () => {
    const found = filterChecks(checks, { verdicts: [], service: "", text: "HTTP payments 8004" });
    expect(found.map((check) => check.name)).toContain("payments-ready");
    expect(found.every((check) => check.service === "payments")).toBe(true);
  });
  it("combines verdicts and service", () => {
    const found = filterChecks(checks, { verdicts: ["down"], service: "search", text: "" });
    expect(found.map((check) => check.name)).toEqual(["search-node-2"]);
  });
});

describe("ordering checks", () => {
  it("puts the worst first and unknown before up", () => {
    const order = sortChecks(checks, WORST_FIRST).map((check) => severity(check.verdict));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(severity("unknown")).toBeLessThan(severity("up"));
  });
  it("stands in the URL, and nonsense there changes nothing", () => {
    expect(parseSort("-latency")).toEqual({ by: "latency", isDown: true });
    expect(parseSort("soup")).toEqual(WORST_FIRST);
    expect(writeSort(WORST_FIRST)).toBe("");
    expect(writeSort(parseSort("-latency"))).toBe("-latency");
  });
});

it("nothing at all is unknown, never up", () => {
  expect(worst([])).toBe("unknown");
  expect(worst(["up", "unknown"])).toBe("unknown");
  expect(countVerdicts(["up", "up", "down"])).toEqual({ up: 2, degraded: 0, down: 1, unknown: 0 });
});

it("the slowest check that measures speaks for its service", () => {
  expect(leadCheck(checks.filter((check) => check.service === "gateway"))?.name).toBe("gateway-checkout-journey");
  expect(leadCheck([])).toBeNull();
});

it("held rows keep their places, new ones join at the end, gone ones go", () => {
  expect(merge(["a", "b", "c"], ["c", "x", "a"])).toEqual(["a", "c", "x"]);
});

it("an event that comes twice is shown once, at its place", () => {
  const event = (seq: number) => ({ seq }) as LogEvent;
  expect(withEvent([event(5), event(3)], event(4)).map((one) => one.seq)).toEqual([5, 4, 3]);
  expect(withEvent([event(5), event(3)], event(5))).toHaveLength(2);
  expect(withEvent([], event(1))).toHaveLength(1);
});

it("references read as names", () => {
  expect(entityName("group:default/checkout")).toBe("checkout");
  expect(entityName("checkout")).toBe("checkout");
});

it("only web links open", () => {
  expect(safeUrl("https://example.org/x")).toBe("https://example.org/x");
  expect(safeUrl("javascript:alert(1)")).toBeUndefined();
  expect(safeUrl("data:text/html,x")).toBeUndefined();
});

it("an empty query matches everything", () => expect(matchesText("  ", [null])).toBe(true));

describe("sentences of the server", () => {
  it("begin with a large letter where they stand alone, and names stay as they are", () => {
    expect(sentence("the title is taken")).toBe("The title is taken");
    expect(sentence("http_listen: must be an address")).toBe("http_listen: must be an address");
    expect(sentence("store.url is wrong")).toBe("store.url is wrong");
    expect(sentence("")).toBe("");
  });
});
