// What is chosen on the heat map of durations: whole cells, as a part of the time and bounds of durations.
import type { TraceLatency } from "@/api/types";
import { type Part, writeNs } from "./search";

/** A part of the time, and durations as a search writes them; empty where the choice reaches the end of the chart. */
export interface Cells {
  part: Part | null;
  min: string;
  max: string;
}

interface Shares {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The cells that a box touches; a box over the whole width chooses no part of the time. */
export function cellsOf(latency: TraceLatency, { left, right, top, bottom }: Shares): Cells {
  const { columns, bounds_ns: bounds, step_ns: stepNs } = latency;
  const rows = bounds.length - 1;
  const clamp = (value: number, most: number): number => Math.max(0, Math.min(most - 1, Math.floor(value)));
  const [first, last] = [clamp(left * columns, columns), clamp(right * columns, columns)];
  const [low, high] = [clamp((1 - bottom) * rows, rows), clamp((1 - top) * rows, rows)];
  const fromMs = Date.parse(latency.started_at);
  const isWhole = first === 0 && last === columns - 1;
  return {
    part: isWhole ? null : { fromMs: fromMs + (first * stepNs) / 1e6, toMs: fromMs + ((last + 1) * stepNs) / 1e6 },
    min: low === 0 ? "" : writeNs(bounds[low] ?? 0),
    max: high === rows - 1 ? "" : writeNs(bounds[high + 1] ?? 0),
  };
}

/** Where bounds of durations lie on the chart, as shares of its height from below. */
export function rowsOf({ bounds_ns: bounds }: TraceLatency, min: string, max: string): [low: number, high: number] {
  const rows = bounds.length - 1;
  const place = (ns: number): number => {
    const row = bounds.findLastIndex((bound) => bound <= ns);
    if (row < 0) return 0;
    const [from, to] = [bounds[row] ?? 0, bounds[row + 1] ?? 0];
    return row >= rows ? 1 : (row + (to > from ? (ns - from) / (to - from) : 0)) / rows;
  };
  return [min ? place(readNs(min)) : 0, max ? place(readNs(max)) : 1];
}

const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3_600e9 };

/** A duration of a search in nanoseconds; 0 where it cannot be read. */
export function readNs(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}
