// What figures of usage are called, and how amounts are written.
import type { UsageReport, Use } from "@/api/types";
import { NOTHING } from "./format";

/** Reasons why log records were left out, as words behind their count. */
export const DROPPED_WORD: Record<string, string> = {
  sampled: "by sampling (log_limits.sampling)",
  rate_limit: "above the rate of their stream (log_limits.streams)",
  line_too_long: "longer than their stream may (log_limits.streams)",
  put_off: "sent back to be sent again later (429)",
};

export function diskOf(use: Use): number {
  return use.disk_bytes + use.span_disk_bytes;
}

export function hasPrice(report: Pick<UsageReport, "stored_gib_month" | "read_gib">): boolean {
  return report.stored_gib_month > 0 || report.read_gib > 0;
}

/** An amount with its currency: small ones are told as such, for they are estimates. */
export function costText(cost: number | null | undefined, currency: string): string {
  if (cost === null || cost === undefined) return NOTHING;
  if (cost > 0 && cost < 0.01) return `under 0.01 ${currency}`;
  return `${cost.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
}

/** The labels of a stream as a selector writes them. */
export function selectorOf(labels: Record<string, string>): string {
  return `{${Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`;
}

/** Where its lines are explored. */
export function logsPath(labels: Record<string, string>): string {
  return `/logs?q=${encodeURIComponent(selectorOf(labels))}`;
}
