// Deploys in words.
import type { Deploy } from "@/api/types";

const STATES: Record<Deploy["state"], string> = {
  running: "runs",
  beside: "still heard",
  awaited: "not heard yet",
  ended: "ended",
};

const ENDINGS: Record<NonNullable<Deploy["ending"]>, string> = {
  replaced: "replaced by",
  rolled_back: "rolled back to",
};

export function deployState({ state, ending, to_version, environment, settled_at, is_baseline }: Deploy): string {
  const running = state === "running" && settled_at && !is_baseline ? "runs alone" : STATES[state];
  const words = ending ? `${ENDINGS[ending]} ${to_version ?? "another one"}` : running;
  return environment ? `${words} in ${environment}` : words;
}

export function deployNote({ is_baseline, is_rollback, from_version, commit, by }: Deploy): string {
  if (is_baseline) return "ran already when it was first heard";
  const before = from_version && (is_rollback ? `back from ${from_version}` : `after ${from_version}`);
  return [before, commit && `commit ${commit}`, by && `by ${by}`].filter(Boolean).join(", ");
}

/** The same version may be deployed again: only with its time it is one deploy. */
export function deployKey({ service, environment, version, began_at }: Deploy): string {
  return [service, environment, version, began_at].join("\n");
}
