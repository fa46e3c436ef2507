// How a list of checks is narrowed and ordered.
import type { CheckSummary } from "@/api/types";
import { isVerdict, severity } from "./status";
import { matchesText } from "./text";

export interface CheckFilter {
  verdicts: readonly string[];
  service: string;
  text: string;
}

export function filterChecks(checks: readonly CheckSummary[], filter: CheckFilter): CheckSummary[] {
  return checks.filter(
    (check) =>
      (filter.verdicts.length === 0 || filter.verdicts.includes(check.verdict)) &&
      (!filter.service || check.service === filter.service) &&
      matchesText(filter.text, [check.name, check.service, check.kind, check.target, check.message, ...Object.values(check.labels)]),
  );
}

const COLUMNS = ["status", "name", "service", "latency", "uptime"] as const;

export interface CheckSort {
  by: (typeof COLUMNS)[number];
  isDown: boolean;
}

export const WORST_FIRST: CheckSort = { by: "status", isDown: false };

/** "latency" or "-latency", as it stands in the URL. */
export function parseSort(text: string): CheckSort {
  const by = COLUMNS.find((column) => column === text.replace(/^-/, ""));
  return by ? { by, isDown: text.startsWith("-") } : WORST_FIRST;
}

export function writeSort({ by, isDown }: CheckSort): string {
  return by === WORST_FIRST.by && !isDown ? "" : `${isDown ? "-" : ""}${by}`;
}

export function sortChecks(checks: readonly CheckSummary[], { by, isDown }: CheckSort): CheckSummary[] {
  const order = isDown ? -1 : 1;
  return [...checks].sort((a, b) => order * compare(a, b, by) || a.name.localeCompare(b.name));
}

function compare(a: CheckSummary, b: CheckSummary, by: CheckSort["by"]): number {
  switch (by) {
    case "status":
      return severity(a.verdict) - severity(b.verdict);
    case "name":
      return a.name.localeCompare(b.name);
    case "service":
      return (a.service ?? "~").localeCompare(b.service ?? "~");
    case "latency":
      return (a.duration_s ?? -1) - (b.duration_s ?? -1);
    case "uptime":
      return (a.uptime.d1.ratio ?? 2) - (b.uptime.d1.ratio ?? 2);
  }
}

/** The comma-separated verdicts of a URL; words that are not verdicts are dropped. */
export function parseVerdicts(text: string): string[] {
  return text.split(",").filter(isVerdict);
}
