// Uptime over the four windows as figures, each with how much of the window was really observed.
import type { UptimeShare, UptimeWindows } from "@/api/types";
import { formatUptime } from "./format";

const WINDOWS = [["24 h", "d1"], ["7 d", "d7"], ["30 d", "d30"], ["90 d", "d90"]] as const;

export function uptimeItems(uptime: UptimeWindows): { label: string; value: string; note: string }[] {
  return WINDOWS.map(([label, key]) => ({ label: `Uptime ${label}`, value: formatUptime(uptime[key].ratio), note: coverageText(uptime[key]) }));
}

export function coverageText({ coverage, ratio }: UptimeShare): string {
  if (ratio === null) return "not observed yet";
  if (coverage >= 0.995) return "fully observed";
  const percent = coverage * 100;
  return `${percent < 1 ? "under 1" : Math.floor(percent)}% observed`;
}
