// What a verdict is called, how bad it is, and how many of each there are. Icons stand in components/StatusMark.
import type { Verdict } from "@/api/types";

export const VERDICTS: readonly Verdict[] = ["down", "degraded", "unknown", "up"];

export const VERDICT_WORD: Record<Verdict, string> = {
  up: "Up",
  degraded: "Degraded",
  down: "Down",
  unknown: "Unknown",
};

/** 0 is worst. Unknown stands between degraded and up: it may hide anything, but nothing is proven. */
export function severity(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}

export function isVerdict(text: unknown): text is Verdict {
  return typeof text === "string" && VERDICTS.includes(text as Verdict);
}

export function isProblem(verdict: Verdict): boolean {
  return verdict === "down" || verdict === "degraded";
}

export function countVerdicts(verdicts: Iterable<Verdict>): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { up: 0, degraded: 0, down: 0, unknown: 0 };
  for (const verdict of verdicts) counts[verdict] += 1;
  return counts;
}

/** The worst verdict of a group; nothing at all is unknown, never up. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? "unknown";
}
