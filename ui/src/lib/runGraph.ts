// Reads the shape of a run from its times: a step follows those that were over before it began. Steps that overlap are
// branches. (An interval order: exact for code that awaits; code that merely happened to be slow looks sequential.)
import type { RunStep } from "@/api/types";
import type { GraphEdge } from "./layers";
import { undoneKey } from "./runs";

/** More boxes than this show nothing that the timeline would not show better. */
export const MOST_NODES = 150;

export interface RunGraphShape {
  steps: RunStep[];
  edges: GraphEdge[];
  /** From a compensation to the step that it undoes. */
  undoes: GraphEdge[];
}

export function graphOf(all: readonly RunStep[]): RunGraphShape {
  const steps = all.filter((step) => step.started_at !== null).slice(0, MOST_NODES);
  const spans = steps.map((step) => ({ key: step.key, from: Date.parse(step.started_at ?? ""), to: step.finished_at ? Date.parse(step.finished_at) : Number.POSITIVE_INFINITY }));
  const edges = spans.flatMap((step, index) => {
    const over = spans.slice(0, index).filter((other) => other.to <= step.from);
    // Only the last ones: whoever was over before another of them began is behind that one.
    return over.filter((other) => !over.some((between) => between !== other && other.to <= between.from)).map((other) => ({ from: other.key, to: step.key }));
  });
  const keys = new Set(steps.map((step) => step.key));
  const undoes = steps.flatMap((step) => {
    const undone = undoneKey(step);
    return undone && keys.has(undone) ? [{ from: step.key, to: undone }] : [];
  });
  return { steps, edges, undoes };
}
