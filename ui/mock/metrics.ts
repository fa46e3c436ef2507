// What the mock says of scrapes and series: four jobs, one target down, a label that exploded, metrics that nobody uses.
import type { ActiveTarget, Cardinality, MetricMakeup, SeriesGrowth, Targets } from "@/api/types";

const NEVER = "0001-01-01T00:00:00Z";

function active(job: string, instance: string, health: string, lastError = ""): ActiveTarget {
  const scrapeUrl = `http://${instance}/metrics`;
  return {
    discoveredLabels: { __address__: instance, __meta_filepath: "targets/shop.json", __metrics_path__: "/metrics", __scheme__: "http", job },
    labels: { instance, job, team: "shop" },
    scrapePool: job,
    scrapeUrl,
    globalUrl: scrapeUrl,
    lastError,
    lastScrape: health === "unknown" ? NEVER : new Date(Date.now() - 4_000).toISOString(),
    lastScrapeDuration: health === "unknown" ? 0 : 0.0124,
    health,
    scrapeInterval: "15s",
    scrapeTimeout: "10s",
  };
}

export function targets(isEmpty: boolean, isFailing: boolean): Targets {
  if (isEmpty) return { activeTargets: [], droppedTargets: [], droppedTargetCounts: {}, discoveryFailures: [] };
  return {
    activeTargets: [
      active("node", "10.0.0.11:9100", "up"),
      active("node", "10.0.0.12:9100", "up"),
      active("shop", "10.0.0.21:8000", isFailing ? "down" : "up", isFailing ? "http://10.0.0.21:8000/metrics answered 503" : ""),
      active("shop", "10.0.0.22:8000", "up"),
      active("shop", "10.0.0.23:8000", "unknown"),
    ],
    droppedTargets: [{ discoveredLabels: { __address__: "10.0.0.24:8000", job: "shop" }, scrapePool: "shop" }],
    droppedTargetCounts: { kubernetes: 0, node: 0, shop: 1 },
    discoveryFailures: isFailing ? [{ scrapePool: "kubernetes", kind: "kubernetes", source: "https://10.96.0.1:443/api/v1/pods", error: "https://10.96.0.1:443/api/v1/pods answered with status 403", since: new Date(Date.now() - 300_000).toISOString() }] : [],
  };
}

export function relabelSteps(labels: Record<string, string>): unknown {
  const { __meta_filepath: _, ...kept } = labels;
  return {
    steps: [
      { rule: { source_labels: ["__address__"], regex: ".*:8000", action: "keep" }, output: labels, keep: true },
      { rule: { target_label: "team", replacement: "shop", action: "replace" }, output: { ...labels, team: "shop" }, keep: true },
      { rule: { regex: "__meta_.*", action: "labeldrop" }, output: { ...kept, team: "shop" }, keep: true },
    ],
  };
}

export function cardinality(isEmpty: boolean, isFailing: boolean): Cardinality {
  const blank: Cardinality = { active: 0, limit: 1_000_000, metric_limit: 200_000, origin_limit: 200_000, kept: 0, refused: {}, metrics: [], labels: [], origins: [], explosions: [], unused: [], unused_total: { metrics: 0, series: 0, active: 0 } };
  if (isEmpty) return blank;
  const explosion = { metric: "http_requests_total", origin: "scrape:shop/10.0.0.21:8000", reason: "series_per_metric", refused: 48_112, label: "user_id", values: 2_973, example: "u-88121" };
  return {
    ...blank,
    active: 231_400,
    kept: 262_900,
    refused: isFailing ? { series_per_metric: 48_112 } : {},
    metrics: [
      { name: "http_requests_total", active: isFailing ? 200_000 : 900, kept: 214_000, new_in_hour: 180_210, new_in_day: 190_400 },
      { name: "node_cpu_seconds_total", active: 1_024, kept: 1_024, new_in_hour: 0, new_in_day: 0 },
      { name: "shop.orders", active: 12, kept: 12, new_in_hour: 0, new_in_day: 12 },
    ],
    labels: [
      { name: "user_id", values: 199_120, series: 200_000 },
      { name: "instance", values: 5, series: 231_400 },
    ],
    origins: [
      { origin: "scrape:shop/10.0.0.21:8000", active: 199_800 },
      { origin: "otlp:checkout", active: 4_100 },
      { origin: "holdfast", active: 310 },
    ],
    explosions: isFailing ? [explosion] : [],
    unused: [
      { name: "node_cpu_seconds_total", series: 1_024, active: 1_024 },
      { name: "shop.orders", series: 12, active: 12 },
    ],
    unused_total: { metrics: 2, series: 1_036, active: 1_036 },
  };
}

export function growth(from: number, to: number, step: number): SeriesGrowth {
  const count = Math.floor((to - from) / step) + 1;
  return { points: Array.from({ length: count }, (_, at) => ({ at: new Date((from + at * step) * 1000).toISOString(), active: 51_000 + Math.round((180_000 * at) / count), new: Math.round(180_000 / count) })) };
}

export function makeup(name: string): MetricMakeup {
  return {
    name,
    active: 200_000,
    origins: [
      { origin: "scrape:shop/10.0.0.21:8000", active: 199_800 },
      { origin: "scrape:shop/10.0.0.22:8000", active: 200 },
    ],
    labels: [
      { name: "user_id", values: 199_120, most: [{ value: "u-1", series: 4 }, { value: "u-2", series: 4 }] },
      { name: "method", values: 2, most: [{ value: "GET", series: 150_000 }, { value: "POST", series: 50_000 }] },
    ],
  };
}
