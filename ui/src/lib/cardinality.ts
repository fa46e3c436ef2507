// What the page of cardinality says and where it leads: selectors, names of senders and limits, a rule that drops metrics.
import type { Explosion } from "@/api/types";
import { explorePath } from "./explore";
import { formatCount } from "./format";

const PLAIN_METRIC = /^[a-zA-Z_:][\w:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_]\w*$/;
const SHOWN = 20;

export const isPlainMetric = (name: string): boolean => PLAIN_METRIC.test(name);

/** A selector as one would write it; names with other characters are quoted. */
export function selectorOf(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const isPlain = isPlainMetric(name);
  const inner = [...(isPlain || !name ? [] : [JSON.stringify(name)]), ...Object.entries(labels).map(([label, value]) => `${labelName(label)}=${JSON.stringify(value)}`)];
  return `${isPlain ? name : ""}${inner.length > 0 || !isPlain ? `{${inner.join(",")}}` : ""}`;
}

export function labelName(name: string): string {
  return PLAIN_LABEL.test(name) ? name : JSON.stringify(name);
}

/** How many series a metric has, over time. */
export const metricPath = (name: string): string => explorePath([`count(${selectorOf(name)})`]);

/** The values of one label of a metric that make the most series. */
export const metricLabelPath = (name: string, label: string): string => explorePath([`topk(${SHOWN}, count by (${labelName(label)}) (${selectorOf(name)}))`], "table");

/** The metrics that bear a label, with their series. */
export const labelPath = (label: string): string => explorePath([`topk(${SHOWN}, count by (__name__) ({${labelName(label)}!=""}))`], "table");

export interface Sender {
  kind: string;
  name: string;
  /** What its series bear, where that is known. */
  labels: Record<string, string> | null;
}

/** "scrape:job/host:port", "push:job", "holdfast": how a sender came, and who it is. */
export function senderOf(origin: string): Sender {
  const at = origin.indexOf(":");
  if (at < 0) return { kind: origin === "holdfast" ? "itself" : "", name: origin, labels: null };
  const [kind, name] = [origin.slice(0, at), origin.slice(at + 1)];
  if (kind === "push") return { kind, name, labels: { job: name } };
  const cut = name.indexOf("/");
  if (kind !== "scrape" || cut < 0) return { kind, name, labels: null };
  return { kind, name, labels: { job: name.slice(0, cut), instance: name.slice(cut + 1) } };
}

/** The metrics of a sender, with their series. */
export function senderPath({ labels }: Sender): string | null {
  return labels ? explorePath([`topk(${SHOWN}, count by (__name__) (${selectorOf("", labels)}))`], "table") : null;
}

export const LIMIT_WORD: Record<string, string> = {
  series_per_tenant: "series of the tenant",
  series_per_metric: "series of the metric",
  series_per_origin: "series of the sender",
  id_collision: "two series have one id",
};

/** Which setting holds a limit. */
export const LIMIT_SETTING: Record<string, string> = {
  series_per_tenant: "metrics.max_series",
  series_per_metric: "metrics.max_series_per_metric",
  series_per_origin: "metrics.max_series_per_origin",
};

/** One in sixteen refused series is looked into: there may be more values than were seen. */
export function explodedText({ label, values }: Pick<Explosion, "label" | "values">): string {
  return label ? `${label}: at least ${formatCount(values)} ${values === 1 ? "value" : "values"}` : "no label";
}

/** A share for a bar: 0 to 1. */
export function shareOf(count: number, limit: number): number {
  return limit > 0 ? Math.min(1, count / limit) : 0;
}

/** What to write into a job of prometheus.yml, so that these metrics come no more. */
export function dropRule(names: readonly string[]): string {
  const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return `metric_relabel_configs:\n  - source_labels: [__name__]\n    regex: '${pattern.replaceAll("'", "''")}'\n    action: drop`;
}
