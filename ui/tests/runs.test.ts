import { describe, expect, it } from "vitest";
import { withStep } from "@/api/runPatches";
import type { RunStep } from "@/api/types";
import { cronWords } from "@/lib/cron";
import { diffCount, diffLines } from "@/lib/diff";
import { graphOf } from "@/lib/runGraph";
import { fieldsOf, initialTexts, parseJson, readFields } from "@/lib/schema";
import { offsetText, rowsOf, segmentsOf, shift, ticksOf, zoom } from "@/lib/timeline";

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

function step(key: string, from: number, to: number | null, more: Partial<RunStep> = {}): RunStep {
  return {
    key, name: key, parent: null, kind: "step", state: to === null ? "running" : "succeeded", order: from, started_at: at(from), finished_at: to === null ? null : at(to), duration_s: to === null ? null : to - from,
    attempt_group: 1, attempt_count: 1, attempts: [], output: null, failure: null, wait: null, items: null, child_id: null, compensates: null, signalled_by: null, idempotency_key: key, plan: null, ...more,
  };
}

describe("a cron expression", () => {
  it.each([
    ["* * * * *", "every minute"],
    ["*/15 * * * *", "every 15 minutes"],
    ["0 3 * * *", "at 03:00"],
    ["30 8,17 * * MON-FRI", "at 08:30 and 17:30, Monday to Friday"],
    ["0 */6 * * *", "every 6 hours"],
    ["5 * * * *", "every hour at minute 5"],
    ["0 0 1 * *", "at 00:00, on the 1st of the month"],
    ["0 9 22 3,6 *", "at 09:00, on the 22nd of March and June"],
    ["@weekly", "at 00:00, Sunday"],
  ])("%s reads “%s”", (expression, words) => expect(cronWords(expression)).toBe(words));

  it("stays as it is written where words would be longer or wrong", () => {
    for (const odd of ["0 3 1 * MON", "*/5 8-18 * * *", "nonsense", "0 3 * *", "0 0 * * 1#2"]) expect(cronWords(odd)).toBeNull();
  });
});

describe("a form from a JSON schema", () => {
  const schema = {
    type: "object",
    required: ["order", "state"],
    properties: {
      order: { type: "string", title: "Order" },
      amount: { anyOf: [{ type: "integer" }, { type: "null" }], default: null },
      state: { $ref: "#/$defs/State" },
      force: { type: "boolean", default: true },
      lines: { type: "array", items: { type: "string" } },
    },
    $defs: { State: { enum: ["new", "paid"], type: "string" } },
  };
  const fields = fieldsOf(schema) ?? [];

  it("has a fitting input for each plain property and JSON for the rest", () => {
    expect(fields.map((field) => [field.name, field.kind])).toEqual([["order", "text"], ["amount", "integer"], ["state", "choice"], ["force", "switch"], ["lines", "json"]]);
    expect(fieldsOf({ type: "string" })).toBeNull();
    expect(fieldsOf({})).toBeNull();
  });

  it("reads what was typed, leaves out what is empty and says what is missing", () => {
    expect(readFields(fields, initialTexts(fields))).toEqual({ value: { force: true }, faults: { order: "This is needed", state: "This is needed" } });
    expect(readFields(fields, { order: "A-1", amount: "12", state: "paid", force: false, lines: '["a"]' })).toEqual({ value: { order: "A-1", amount: 12, state: "paid", force: false, lines: ["a"] }, faults: {} });
    expect(Object.keys(readFields(fields, { order: "A", state: "new", amount: "1.5", lines: "[" }).faults)).toEqual(["amount", "lines"]);
  });

  it("says where JSON is broken", () => {
    expect(parseJson(" ")).toEqual({ value: null, fault: null });
    expect(parseJson("{").fault).toMatch(/not JSON/);
  });
});

describe("the timeline", () => {
  it("draws attempts and the pauses between them", () => {
    const attempts = [1, 2].map((number) => ({ number, group: 1, state: "failed" as const, started_at: at(number * 10), finished_at: at(number * 10 + 4), failure: null }));
    const segments = segmentsOf(step("charge", 10, 31, { attempts, attempt_count: 3 }), 0);
    expect(segments.map(({ tone, from, to }) => [tone, (to - from) / 1000])).toEqual([["failed", 4], ["pause", 6], ["failed", 4], ["succeeded", 7]]);
    expect(segmentsOf(step("charge", 10, null, { attempts, state: "waiting" }), Date.parse(at(30))).at(-1)?.tone).toBe("pause");
  });

  it("lets a step that goes on reach to the present", () => {
    const [segment] = segmentsOf(step("a", 0, null), Date.parse(at(7)));
    expect(segment?.tone).toBe("running");
    expect(segment?.to).toBe(Date.parse(at(7)));
  });

  it("puts items below their open fan-out, and asks for more where there are more", () => {
    const inside = new Map([["ship", { steps: [step("ship[0]", 1, 2, { parent: "ship" })], hasMore: true }]]);
    const rows = rowsOf([step("ship", 0, 9, { kind: "map" }), step("tell", 9, 10)], inside);
    expect(rows.map((row) => (row.type === "step" ? `${row.depth} ${row.step.key}` : "more"))).toEqual(["0 ship", "1 ship[0]", "more", "0 tell"]);
  });

  it("marks round distances from the beginning", () => {
    expect(ticksOf({ from: 1_000, to: 61_000 }, 1_000, 6).map(({ label }) => label)).toEqual(["0", "10 s", "20 s", "30 s", "40 s", "50 s", "1:00"]);
    expect([offsetText(250, 50), offsetText(1_500, 500), offsetText(3_905_000, 1_000), offsetText(183_600_000, 3_600_000)]).toEqual(["250 ms", "1.5 s", "1:05:05", "2 d 3 h"]);
  });

  it("zooms around a point and never leaves the whole", () => {
    const whole = { from: 0, to: 1_000 };
    expect(zoom(whole, whole, 0.5, 0)).toEqual({ from: 0, to: 500 });
    expect(zoom({ from: 400, to: 600 }, whole, 100)).toEqual(whole);
    expect(shift({ from: 900, to: 1_300 }, whole)).toEqual({ from: 600, to: 1_000 });
  });
});

describe("the graph", () => {
  it("leads from what was over to what began next, with branches side by side", () => {
    const { edges } = graphOf([step("plan", 0, 1), step("scan", 1, 5), step("migrate", 1, 3), step("roll", 5, null)]);
    expect(edges.map(({ from, to }) => `${from}>${to}`).sort()).toEqual(["migrate>roll", "plan>migrate", "plan>scan", "scan>roll"]);
  });

  it("ties a compensation to what it undoes", () => {
    expect(graphOf([step("a", 0, 1), step("a!undo", 2, 3, { kind: "compensation" })]).undoes).toEqual([{ from: "a!undo", to: "a" }]);
  });
});

describe("a difference", () => {
  it("tells added from removed by sign", () => {
    const lines = diffLines("--- a\n+++ b\n@@ x @@\n same\n-old\n+new\n");
    expect(lines.map((line) => line.kind)).toEqual(["file", "file", "place", "same", "removed", "added"]);
    expect(diffCount(lines)).toBe("+1 −1");
  });
});

describe("a step that the stream brings", () => {
  it("takes the place of what was known, or comes last, but never onto a page that has followers", () => {
    const known = [{ items: [step("a", 0, null)], next: null }];
    expect(withStep(known, step("a", 0, 2))[0]?.items.map((one) => one.state)).toEqual(["succeeded"]);
    expect(withStep(known, step("b", 1, null))[0]?.items.map((one) => one.key)).toEqual(["a", "b"]);
    expect(withStep([{ items: [step("a", 0, 1)], next: "x" }], step("b", 1, null))[0]?.items).toHaveLength(1);
  });
});
