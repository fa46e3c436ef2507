// Deploys in words.
import type { Deploy } from "@/api/types";

const STATES: Record<Deploy["state"], string> = {
  running: "runs",
  beside: "still heard",
  awaited: "not heard yet",
  ended: "ended",
};

export function deployState({ state, environment }: Deploy): string {
  return environment ? `${STATES[state]} in ${environment}` : STATES[state];
}

export function deployNote({ is_baseline, from_version, commit, by }: Deploy): string {
  if (is_baseline) return "ran already when it was first heard";
  return [from_version && `after ${from_version}`, commit && `commit ${commit}`, by && `by ${by}`].filter(Boolean).join(", ");
}
