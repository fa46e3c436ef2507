import { describe, expect, it } from "vitest";
import { condense, describeEvent, eventPath } from "@/lib/events";
import { formatAge, formatDay, formatRelative, formatWindow } from "@/lib/time";
import { toYaml } from "@/lib/yaml";
import type { LogEvent } from "@/api/types";

const NOW = new Date("2026-03-01T12:00:00Z");
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

describe("relative times", () => {
  it.each([[0, "now"], [12, "12s ago"], [-9, "in 9s"], [61, "1m ago"], [7_200, "2h ago"], [100_000, "27h ago"], [200_000, "2d ago"], [70_000_000, "2y ago"]])(
    "%s seconds ago reads %s",
    (seconds, text) => expect(formatRelative(ago(seconds), NOW)).toBe(text),
  );
  it("never age below zero, whatever the clocks say", () => expect(formatAge(ago(-5), NOW)).toBe("0s"));
  it("name the day", () => {
    expect(formatDay(NOW, NOW)).toBe("Today");
    expect(formatDay(ago(86_400), NOW)).toBe("Yesterday");
    expect(formatDay(ago(86_400 * 400), NOW)).toContain("2025");
  });
});

describe("a window of time", () => {
  const now = new Date(2026, 10, 30, 22, 0);
  it.each([
    [new Date(2026, 10, 30, 3, 0), new Date(2026, 10, 30, 7, 0), "03:00 to 07:00"],
    [new Date(2026, 10, 30, 3, 0, 5), new Date(2026, 10, 30, 3, 0, 35), "03:00:05 to 03:00:35"],
    [new Date(2026, 10, 1, 3, 0), new Date(2026, 10, 1, 7, 0), "1 Nov 03:00 to 07:00"],
    [new Date(2026, 9, 31, 23, 0), new Date(2026, 10, 1, 7, 0), "31 Oct 23:00 to 1 Nov 07:00"],
    [new Date(2025, 9, 31, 23, 0), new Date(2026, 10, 1, 7, 0), "31 Oct 2025 23:00 to 1 Nov 07:00"],
  ])("says its days where they are not today: %s", (from, to, text) => expect(formatWindow(from, to, now)).toBe(text));
});

describe("events as sentences", () => {
  const event = (fields: Partial<LogEvent>) => ({ seq: 1, actor: "system", data: {}, subject: "", kind: "", ...fields }) as LogEvent;
  it("say what a check turned to and why", () => {
    const changed = event({ kind: "check.changed", subject: "check/payments-ready", data: { check: "payments-ready", from: "up", to: "down", message: "503" } });
    expect(describeEvent(changed)).toMatchObject({ subject: "payments-ready", text: "is down", detail: "503", verdict: "down" });
    expect(eventPath(changed)).toBe("/checks/payments-ready");
  });
  it("say which version was deployed, and after which", () => {
    const data = { service: "orders", version: "1.1.0", from: "1.0.0", environment: "production", by: "ci" };
    const told = (kind: string) => describeEvent(event({ kind, subject: "service/orders", data }));
    expect(told("deploy.seen")).toMatchObject({ subject: "orders", text: "runs 1.1.0, after 1.0.0", detail: "in production, by ci", verdict: null });
    expect(told("deploy.rolled_back").text).toBe("went back to 1.1.0, after 1.0.0");
    expect(told("deploy.settled").text).toBe("runs nothing but 1.1.0");
    expect(eventPath(event({ kind: "deploy.seen", subject: "service/orders", data }))).toBe("/services/orders");
  });
  it("name a run by its workflow, and not by the whole of its id", () => {
    const signal = { kind: "run.signal_received", subject: "run/01a228d4-3c4f-7094-8a34-2aeeb9fa45cb" };
    expect(describeEvent(event({ ...signal, data: { workflow: "shop.heal", signal: "approve" } }))).toMatchObject({ subject: "shop.heal", text: "got the signal “approve”" });
    expect(describeEvent(event({ ...signal, data: { signal: "approve" } })).subject).toBe("Run b9fa45cb");
  });
  it("still read well when their kind is new", () => {
    expect(describeEvent(event({ kind: "dashboard.saved", subject: "dashboard/d1", data: { title: "Machine", version: 3, message: "wider" } }))).toMatchObject({ subject: "Machine", text: "dashboard was saved as version 3", detail: "wider" });
    expect(eventPath(event({ kind: "dashboard.saved", subject: "dashboard/d1" }))).toBe("/dashboards/d1");
    expect(eventPath(event({ kind: "dashboard.deleted", subject: "dashboard/d1" }))).toBeNull();
    expect(describeEvent(event({ kind: "rocket.lifted_off", subject: "rocket/r1" }))).toMatchObject({ subject: "r1", text: "lifted off" });
  });
});

it("the turn of a check is not told twice when its service tells it", () => {
  const at = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();
  const turn = (seq: number, kind: string, service: string, to: string, seconds: number) => ({ seq, kind, service, at: at(seconds), data: { to } }) as unknown as LogEvent;
  const events = [turn(5, "service.changed", "a", "down", 1), turn(4, "check.changed", "a", "down", 2), turn(3, "check.changed", "a", "up", 3), turn(2, "check.changed", "b", "down", 4), turn(1, "check.changed", "a", "down", 90)];
  expect(condense(events).map((event) => event.seq)).toEqual([5, 3, 2, 1]);
});

describe("configuration as YAML", () => {
  it("quotes only what could be misread", () => {
    expect(toYaml({ url: "http://127.0.0.1:80/x", every: "5s", on: "yes", count: 3, empty: [], odd: "a: b", retry: { attempts: 3 }, list: [{ status: 200 }, "x"] })).toBe(
      ['url: http://127.0.0.1:80/x', "every: 5s", '"on": "yes"', "count: 3", "empty: []", 'odd: "a: b"', "retry:", "  attempts: 3", "list:", "  - status: 200", "  - x"].join("\n"),
    );
  });
  it("keeps lines of text", () => expect(toYaml({ script: "a\nb" })).toBe("script: |\n  a\n  b"));
});
