import { describe, expect, it } from "vitest";
import type { RelabelStep } from "@/api/seriesQueries";
import { dropRule, explodedText, labelPath, metricLabelPath, metricPath, selectorOf, senderOf, senderPath } from "@/lib/cardinality";
import { formatShare } from "@/lib/format";
import { labelChanges, poolsOf, ruleText, scrapedAt, stepTexts, verdictOf } from "@/lib/targets";
import { changeText } from "@/pages/metrics/cardinality/Growth";
import * as mock from "../mock/metrics.ts";

const queryOf = (path: string | null): string | null => new URL(path ?? "", "http://x").searchParams.get("q");

describe("links into Explore", () => {
  it("quote names and values that need it", () => {
    expect(selectorOf("up")).toBe("up");
    expect(selectorOf("up", { job: 'a"b' })).toBe('up{job="a\\"b"}');
    expect(selectorOf("shop.orders", { "k8s.pod": "x" })).toBe('{"shop.orders","k8s.pod"="x"}');
    expect(selectorOf("", { job: "web" })).toBe('{job="web"}');
  });

  it("ask for what a row is about", () => {
    expect(queryOf(metricPath("hits"))).toBe("count(hits)");
    expect(queryOf(metricLabelPath("hits", "user.id"))).toBe('topk(20, count by ("user.id") (hits))');
    expect(queryOf(labelPath("user"))).toBe('topk(20, count by (__name__) ({user!=""}))');
    expect(queryOf(senderPath(senderOf("scrape:web/10.0.0.1:80")))).toBe('topk(20, count by (__name__) ({job="web",instance="10.0.0.1:80"}))');
    expect(senderPath(senderOf("otlp:checkout"))).toBeNull();
  });
});

describe("cardinality", () => {
  it("names senders by how they came", () => {
    expect(senderOf("scrape:web/http://10.0.0.1/a")).toEqual({ kind: "scrape", name: "web/http://10.0.0.1/a", labels: { job: "web", instance: "http://10.0.0.1/a" } });
    expect(senderOf("push:nightly").labels).toEqual({ job: "nightly" });
    expect(senderOf("holdfast")).toEqual({ kind: "itself", name: "holdfast", labels: null });
  });

  it("never says more than was seen", () => {
    expect(explodedText({ label: "user", values: 2973 })).toBe("user: at least 2,973 values");
    expect(explodedText({ label: "", values: 0 })).toBe("no label");
    expect([formatShare(0, 10), formatShare(1, 100_000), formatShare(1, 200), formatShare(150, 200), formatShare(3, 0)]).toEqual(["0.0%", "<0.1%", "0.5%", "75%", "0.0%"]);
  });

  it("writes the rule that drops metrics", () => {
    expect(dropRule(["a.b", "it's"])).toBe("metric_relabel_configs:\n  - source_labels: [__name__]\n    regex: 'a\\.b|it''s'\n    action: drop");
  });

  it("tells growth from first to last", () => {
    const point = (active: number) => ({ at: "2026-01-01T00:00:00Z", active, new: 0 });
    expect(changeText({ points: [point(10), point(50), point(1210)] })).toMatch(/^\+1,200 in this time/);
    expect(changeText({ points: [point(10), point(4)] })).toMatch(/^−6/);
    expect(changeText({ points: [] })).toBe("");
  });
});

describe("targets", () => {
  const all = mock.targets(false, true);
  const none = { text: "", pool: "", isUnhealthyOnly: false };

  it("stand by job, trouble first", () => {
    const pools = poolsOf(all, none);
    expect(pools.map((pool) => pool.name)).toEqual(["shop", "kubernetes", "node"]);
    expect(pools[0]?.shown.map(verdictOf)).toEqual(["down", "unknown", "up"]);
    expect(pools[0]?.dropped).toHaveLength(1);
  });

  it("are filtered by health, job and words", () => {
    const shown = (filter: Partial<typeof none>) => poolsOf(all, { ...none, ...filter }).flatMap((pool) => pool.shown.map((target) => target.labels["instance"]));
    expect(shown({ isUnhealthyOnly: true })).toEqual(["10.0.0.21:8000", "10.0.0.23:8000"]);
    expect(shown({ pool: "node" })).toHaveLength(2);
    expect(shown({ text: "answered 503" })).toEqual(["10.0.0.21:8000"]);
    expect(shown({ text: 'team="shop" node' })).toHaveLength(2);
  });

  it("that nobody scraped yet have no time", () => {
    expect(all.activeTargets.map(scrapedAt).map((at) => at === null)).toEqual([false, false, false, false, true]);
  });

  it("show labels before and after", () => {
    expect(labelChanges({ a: "1", __b: "2" }, { a: "1", c: "3" })).toEqual([
      { name: "a", before: "1", after: "1" },
      { name: "c", before: null, after: "3" },
      { name: "__b", before: "2", after: null },
    ]);
  });

  it("tell what each relabelling rule did", () => {
    const steps: RelabelStep[] = [
      { rule: { action: "keep", source_labels: ["a"], regex: "1|2" }, output: { a: "1" }, keep: true },
      { rule: { action: "replace", target_label: "t", replacement: "x", regex: "(.*)" }, output: { a: "1", t: "x" }, keep: true },
      { rule: { action: "labeldrop", regex: "a" }, output: { t: "x" }, keep: true },
      { rule: { action: "drop", source_labels: ["t"], regex: "x" }, output: {}, keep: false },
    ];
    expect(stepTexts({ a: "1" }, steps)).toEqual([
      { rule: "keep [a] =~ 1|2", effect: "", isDrop: false },
      { rule: "replace → t = x", effect: 't="x"', isDrop: false },
      { rule: "labeldrop =~ a", effect: "removes a", isDrop: false },
      { rule: "drop [t] =~ x", effect: "drops the target", isDrop: true },
    ]);
    expect(ruleText({ action: "hashmod", source_labels: ["a", "b"], modulus: 8, target_label: "m" })).toBe("hashmod [a, b] mod 8 → m");
  });
});
