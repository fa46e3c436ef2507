// Deploys in words.
import type { Deploy, LogEvent } from "@/api/types";
import { actorName, type Names } from "./events";

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

/** The deploy that an event tells of: of its version and place, the last one that had begun by then. */
export function deployOf(deploys: readonly Deploy[], { at, data }: LogEvent): Deploy | undefined {
  const place = data["environment"] ?? "";
  const same = deploys.filter((one) => one.version === data["version"] && one.environment === place && Date.parse(one.began_at) <= Date.parse(at));
  return same.sort((a, b) => Date.parse(b.began_at) - Date.parse(a.began_at))[0];
}

/** When it was deployed: what is recorded may have been some time before. */
export function deployedAt({ at, data }: LogEvent): string {
  const told = data["at"];
  return typeof told === "string" && !Number.isNaN(Date.parse(told)) ? told : at;
}

/** Who or what says that it was deployed. */
export function deployTold({ kind, actor, data }: LogEvent, names: Names): string {
  const signal = typeof data["signal"] === "string" && data["signal"];
  const instance = typeof data["instance"] === "string" && data["instance"];
  if (kind === "deploy.recorded") return `Recorded by ${actorName(actor, names) ?? "somebody"}`;
  if (kind !== "deploy.seen") return "Found by what the service still tells";
  return `Seen in its ${signal || "telemetry"}${instance ? `, first from ${instance}` : ""}`;
}
