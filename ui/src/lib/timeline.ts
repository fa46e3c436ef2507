// Turns steps into rows and bars over time: which rows are open, where each attempt stands, which marks the axis shows.
import type { RunStep } from "@/api/types";
import { formatCount, formatDuration } from "./format";
import { STATE_WORD, triesOf, undoneKey } from "./runs";
import { formatAbsolute } from "./time";

export interface Window {
  from: number;
  to: number;
}

export type SegmentTone = "running" | "succeeded" | "failed" | "waiting" | "undone" | "skipped" | "pause";

export interface Segment {
  from: number;
  to: number;
  tone: SegmentTone;
}

export type TimelineRow = { type: "step"; step: RunStep; depth: number; isOpen: boolean; canOpen: boolean } | { type: "more"; parent: string; depth: number };

export interface Inside {
  steps: readonly RunStep[];
  hasMore: boolean;
}

/** Steps from top to bottom as they began, each with what is inside it where it is open. */
export function rowsOf(steps: readonly RunStep[], inside: ReadonlyMap<string, Inside>, depth = 0): TimelineRow[] {
  return steps.flatMap((step): TimelineRow[] => {
    const open = inside.get(step.key);
    const row: TimelineRow = { type: "step", step, depth, isOpen: open !== undefined, canOpen: step.kind === "map" };
    if (!open) return [row];
    const rows = [row, ...rowsOf(open.steps, inside, depth + 1)];
    if (open.hasMore) rows.push({ type: "more", parent: step.key, depth: depth + 1 });
    return rows;
  });
}

const TONES: Record<RunStep["state"], SegmentTone> = {
  running: "running",
  waiting: "waiting",
  succeeded: "succeeded",
  failed: "failed",
  compensated: "undone",
  compensation_failed: "failed",
  skipped: "skipped",
};

/** The bars of one step: its attempts with the pauses between them, or one bar from begin to end. */
export function segmentsOf(step: RunStep, now: number): Segment[] {
  if (!step.started_at) return [];
  const from = Date.parse(step.started_at);
  const to = step.finished_at ? Date.parse(step.finished_at) : now;
  const isRest = step.kind === "sleep" || step.kind === "signal";
  const tone = isRest && step.state !== "failed" ? "waiting" : TONES[step.state];
  if (step.attempts.length === 0) return [{ from, to: Math.max(from, to), tone }];
  const segments: Segment[] = [];
  let last = from;
  for (const attempt of step.attempts) {
    const begin = Date.parse(attempt.started_at);
    if (segments.length > 0 && begin > last) segments.push({ from: last, to: begin, tone: "pause" });
    last = Date.parse(attempt.finished_at);
    segments.push({ from: begin, to: last, tone: attempt.state === "failed" ? "failed" : "undone" });
  }
  // The journal keeps when the last attempt ended, not when it began: it is drawn from the end of the one before.
  if (to > last || step.finished_at) segments.push({ from: last, to: Math.max(last, to), tone: step.state === "waiting" ? "pause" : tone });
  return segments;
}

/** Where a moment stands in a window, in percent; may lie outside of 0..100. */
export function place(at: number, { from, to }: Window): number {
  return ((at - from) / Math.max(1, to - from)) * 100;
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000];

/** Moments at round distances from the run's beginning, at most `count` of them. */
export function ticksOf(window: Window, origin: number, count: number): { at: number; label: string }[] {
  const span = window.to - window.from;
  const step = STEPS_MS.find((one) => span / one <= count) ?? 2_592_000_000;
  const first = Math.ceil((window.from - origin) / step) * step;
  const ticks: { at: number; label: string }[] = [];
  for (let offset = first; origin + offset <= window.to && ticks.length <= count; offset += step) ticks.push({ at: origin + offset, label: offsetText(offset, step) });
  return ticks;
}

/** "0", "250 ms", "1.5 s", "2:30", "1:05:00", "2 d 3 h": how far from the beginning. */
export function offsetText(ms: number, step: number): string {
  if (ms === 0) return "0";
  if (step < 1_000 && Math.abs(ms) < 1_000) return `${ms} ms`;
  const seconds = ms / 1_000;
  if (Math.abs(seconds) < 60) return `${Number(seconds.toFixed(3))} s`;
  if (step >= 3_600_000 && seconds >= 86_400) {
    const hours = Math.round((seconds % 86_400) / 3_600);
    return `${Math.floor(seconds / 86_400)} d${hours > 0 ? ` ${hours} h` : ""}`;
  }
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const tail = step < 1_000 ? (seconds - whole).toFixed(3).slice(1) : "";
  const clock = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}${tail}`;
  return whole >= 3_600 ? `${Math.floor(whole / 3_600)}:${clock}` : clock.replace(/^0/, "");
}

/** A window `factor` times as long around a share (0..1) of it, never outside of the whole, never below 2 ms. */
export function zoom(window: Window, whole: Window, factor: number, around = 0.5): Window {
  const span = Math.min(Math.max((window.to - window.from) * factor, 2), whole.to - whole.from);
  const pivot = window.from + (window.to - window.from) * around;
  return shift({ from: pivot - span * around, to: pivot + span * (1 - around) }, whole);
}

/** Moves a window back into the whole without changing its length. */
export function shift(window: Window, whole: Window): Window {
  const span = window.to - window.from;
  const from = Math.min(Math.max(window.from, whole.from), Math.max(whole.from, whole.to - span));
  return { from, to: from + span };
}

/** What a step is called in its row: the way it undoes, its index in a fan-out, or its own name. */
export function stepLabel(step: Pick<RunStep, "key" | "parent" | "kind" | "compensates">): string {
  const undone = undoneKey(step);
  if (undone) return `undo ${undone}`;
  if (step.parent && step.key.startsWith(step.parent)) return step.key.slice(step.parent.length).replace(/^\//, "");
  return step.key;
}

/** One step in words, for the tip of its bar and for whoever cannot see it. */
export function describeStep(step: RunStep): string {
  const lines = [`${step.key}: ${STATE_WORD[step.state].toLowerCase()}`];
  if (step.duration_s !== null) lines.push(`took ${formatDuration(step.duration_s)}`);
  if (triesOf(step) > 1) lines.push(`${formatCount(triesOf(step))} attempts`);
  if (step.failure) lines.push(`${step.failure.type}: ${step.failure.message}`);
  if (step.started_at) lines.push(`began ${formatAbsolute(new Date(step.started_at))}`);
  return lines.join("\n");
}
