// What the states of runs and steps are called, how much they ask for attention, and what a run says in one line.
import type { RunMap, RunState, RunStep, RunSummary, RunWait, StepState } from "@/api/types";
import type { Verdict } from "@/api/types";
import { NOTHING, plural } from "./format";

/** In the order in which people look for them: what needs a person first, what is over last. */
export const RUN_STATES: readonly RunState[] = ["stranded", "failed", "cancelling", "waiting", "running", "queued", "succeeded", "cancelled"];

type Progress = NonNullable<RunSummary["progress"]>;
export type AnyState = RunState | StepState;

export const STATE_WORD: Record<AnyState, string> = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting",
  cancelling: "Cancelling",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  stranded: "Stranded",
  compensated: "Undone",
  compensation_failed: "Not undone",
  skipped: "Skipped",
};

/** The colour of status that a state may wear; most wear none. */
export const STATE_TONE: Partial<Record<AnyState, Verdict>> = { succeeded: "up", failed: "down", compensation_failed: "down", stranded: "degraded" };

export const KIND_WORD: Record<RunStep["kind"], string> = { step: "step", sleep: "sleep", signal: "signal", child: "child run", map: "fan-out", compensation: "compensation" };

export function isOver(state: AnyState): boolean {
  return !["queued", "running", "waiting", "cancelling", "stranded"].includes(state);
}

export function parseStates(text: string): RunState[] {
  return RUN_STATES.filter((state) => text.split(",").includes(state));
}

/** Seconds that a run has taken, up to now while it lasts; null before it begins. */
export function runSeconds(run: Pick<RunSummary, "started_at" | "finished_at">, now: Date): number | null {
  if (!run.started_at) return null;
  return Math.max(0, ((run.finished_at ? Date.parse(run.finished_at) : now.getTime()) - Date.parse(run.started_at)) / 1000);
}

/** "signal approve", "sleep two-days", "child run 4b0000a1": what must happen before it goes on. */
export function waitText({ kind, name }: RunWait): string {
  if (kind === "child") return `child run ${shortId(name)}`;
  return kind === "signal" || kind === "sleep" ? `${kind} ${name}` : `the next try of ${name}`;
}

/** The key of the step that a compensation undoes. */
export function undoneKey(step: Pick<RunStep, "key" | "kind" | "compensates">): string | null {
  if (step.kind !== "compensation") return null;
  return step.key.endsWith("!undo") ? step.key.slice(0, -"!undo".length) : step.compensates;
}

/** How many items of a fan-out are over, however they ended. */
export function itemsOver({ counts }: RunMap): number {
  return Object.entries(counts).reduce((sum, [state, count]) => (state === "running" || state === "waiting" ? sum : sum + count), 0);
}

/** What a run of a list is at, and how far it has come. */
export function progressText({ step, steps_over, items, items_over }: Progress): string {
  if (items !== null) return `${step}: ${items_over ?? 0} of ${items}`;
  return steps_over === 0 ? step : `${step}, after ${plural(steps_over, "step")}`;
}

/** How often a step was tried, in all attempts of the run. */
export function triesOf(step: RunStep): number {
  return Math.max(step.attempt_count, step.attempts.length + 1);
}

/** The failed one of some steps: a run fails where one of its steps did. */
export function failedStep(steps: readonly RunStep[]): RunStep | undefined {
  return steps.findLast((step) => step.state === "failed");
}

/** Who began it: a person by name, a schedule, a service, a run above. */
export function starterText(actor: string, names: ReadonlyMap<string, string>): string {
  const [kind = "", ...rest] = actor.split("/");
  const name = rest.join("/");
  if (kind === "user") return names.get(name) ?? `user ${name.slice(-6)}`;
  if (kind === "run") return "another run";
  if (kind === "token") return "a token";
  return name ? `${kind} ${name}` : actor || NOTHING;
}

/** The tail of an id tells runs apart; its head is a time. */
export function shortId(id: string): string {
  return id.slice(-8);
}
