// The phases of a probe in the order in which they happen, with their place on the waterfall.
import type { PhaseName, Phases } from "@/api/types";

export const PHASES: readonly { key: PhaseName; label: string; color: string }[] = [
  { key: "dns_s", label: "DNS", color: "var(--series-5)" },
  { key: "connect_s", label: "Connect", color: "var(--series-2)" },
  { key: "tls_s", label: "TLS", color: "var(--series-3)" },
  { key: "first_byte_s", label: "First byte", color: "var(--series-1)" },
  { key: "transfer_s", label: "Transfer", color: "var(--series-4)" },
];

export interface PhaseBar {
  label: string;
  color: string;
  seconds: number;
  /** Where it starts and how wide it is, as shares of the whole. */
  start: number;
  width: number;
}

/** Lays phases one after the other; those that did not happen are left out. */
export function waterfall(phases: Phases): PhaseBar[] {
  const present = PHASES.flatMap(({ key, label, color }) => {
    const seconds = phases[key];
    return seconds === null || seconds === undefined ? [] : [{ label, color, seconds }];
  });
  const total = present.reduce((sum, phase) => sum + phase.seconds, 0);
  let before = 0;
  return present.map((phase) => {
    const start = total > 0 ? before / total : 0;
    before += phase.seconds;
    return { ...phase, start, width: total > 0 ? phase.seconds / total : 0 };
  });
}
