// Scrape targets as a page shows them: by job, filtered, and what relabelling made of their labels.
import type { ActiveTarget, DiscoveryFailure, DroppedTarget, Targets, Verdict } from "@/api/types";
import type { RelabelStep } from "@/api/seriesQueries";
import { matchesText } from "./text";

export interface TargetFilter {
  text: string;
  pool: string;
  isUnhealthyOnly: boolean;
}

export interface Pool {
  name: string;
  active: ActiveTarget[];
  shown: ActiveTarget[];
  dropped: DroppedTarget[];
  /** How many relabelling dropped; more than are listed. */
  droppedCount: number;
  /** What keeps more targets from being found. */
  failures: DiscoveryFailure[];
}

export function verdictOf(target: Pick<ActiveTarget, "health">): Verdict {
  return target.health === "up" || target.health === "down" ? target.health : "unknown";
}

/** Names a target in the address. */
export function targetKey(target: Pick<ActiveTarget, "scrapePool" | "scrapeUrl" | "labels">): string {
  return `${target.scrapePool}/${target.labels["instance"] ?? ""}/${target.scrapeUrl}`;
}

const ORDER: Record<Verdict, number> = { down: 0, degraded: 1, unknown: 2, up: 3 };

/** By job, those with trouble first; within a job too. */
export function poolsOf(all: Targets, { text, pool: wanted, isUnhealthyOnly }: TargetFilter): Pool[] {
  const names = Object.keys(all.droppedTargetCounts).filter((name) => wanted === "" || name === wanted);
  const pools = names.map((name): Pool => {
    const active = all.activeTargets.filter((target) => target.scrapePool === name);
    const shown = active
      .filter((target) => !isUnhealthyOnly || target.health !== "up")
      .filter((target) => matchesText(text, [name, target.scrapeUrl, target.lastError, ...labelTexts(target.labels)]))
      .sort((a, b) => ORDER[verdictOf(a)] - ORDER[verdictOf(b)] || a.scrapeUrl.localeCompare(b.scrapeUrl));
    const dropped = isUnhealthyOnly ? [] : all.droppedTargets.filter((target) => target.scrapePool === name && matchesText(text, [name, ...labelTexts(target.discoveredLabels)]));
    const failures = all.discoveryFailures.filter((failure) => failure.scrapePool === name);
    return { name, active, shown, dropped, droppedCount: all.droppedTargetCounts[name] ?? 0, failures };
  });
  const trouble = (pool: Pool): number => Math.min(pool.failures.length > 0 ? 1 : 9, ...pool.active.map((target) => ORDER[verdictOf(target)]), 9);
  return pools.sort((a, b) => trouble(a) - trouble(b) || a.name.localeCompare(b.name));
}

function labelTexts(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
}

/** Prometheus' word for a target that nobody scraped yet is a time in the year 1. */
export function scrapedAt(target: Pick<ActiveTarget, "lastScrape">): string | null {
  return Date.parse(target.lastScrape) > 0 ? target.lastScrape : null;
}

export interface LabelChange {
  name: string;
  before: string | null;
  after: string | null;
}

/** Every label before and after, those that samples bear first. */
export function labelChanges(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): LabelChange[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))
    .sort((a, b) => Number(a.after === null) - Number(b.after === null) || a.name.localeCompare(b.name));
}

export interface StepText {
  rule: string;
  /** What it did, in words; empty if nothing. */
  effect: string;
  isDrop: boolean;
}

export function stepTexts(discovered: Readonly<Record<string, string>>, steps: readonly RelabelStep[]): StepText[] {
  let before: Readonly<Record<string, string>> = discovered;
  return steps.map(({ rule, output, keep }) => {
    const changes = labelChanges(before, output).filter((one) => one.before !== one.after);
    before = output;
    const effect = keep ? changes.map(({ name, after }) => (after === null ? `removes ${name}` : `${name}="${after}"`)).join(", ") : "drops the target";
    return { rule: ruleText(rule), effect, isDrop: !keep };
  });
}

/** A rule as one line, in the words of prometheus.yml. */
export function ruleText(rule: Readonly<Record<string, unknown>>): string {
  const { action = "replace", source_labels: sources, regex, target_label: target, replacement, modulus } = rule;
  const parts = [String(action)];
  if (Array.isArray(sources) && sources.length > 0) parts.push(`[${sources.join(", ")}]`);
  if (regex !== undefined && regex !== "(.*)") parts.push(`=~ ${String(regex)}`);
  if (modulus) parts.push(`mod ${String(modulus)}`);
  if (target) parts.push(`→ ${String(target)}`);
  if (replacement !== undefined && replacement !== "$1" && (action === "replace" || action === "labelmap")) parts.push(`= ${String(replacement)}`);
  return parts.join(" ");
}
