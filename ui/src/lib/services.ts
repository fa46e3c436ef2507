// How services are ordered, and which check speaks for a service's latency.
import type { CheckSummary, ServiceSummary } from "@/api/types";
import { groupBy } from "./group";
import { measured } from "./spark";
import { severity } from "./status";

/** Worst first; among equals the important tier first, then by name. */
export function sortServices(services: readonly ServiceSummary[]): ServiceSummary[] {
  return [...services].sort(
    (a, b) => severity(a.health) - severity(b.health) || (a.tier ?? "~").localeCompare(b.tier ?? "~") || a.name.localeCompare(b.name),
  );
}

/** The slowest check that measures latency at all: it is what users wait for. */
export function leadCheck(checks: readonly CheckSummary[]): CheckSummary | null {
  let lead: CheckSummary | null = null;
  let most = -1;
  for (const check of checks) {
    const middle = median(measured(check.recent).filter((duration) => duration !== null));
    if (middle !== null && middle > most) {
      most = middle;
      lead = check;
    }
  }
  return lead;
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** Checks by the service they belong to. */
export function byService(checks: readonly CheckSummary[]): Map<string, CheckSummary[]> {
  return groupBy(checks.filter((check) => check.service !== null), (check) => check.service ?? "");
}
