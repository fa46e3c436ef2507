// A trace as columns: one entry per span, a parent before its children, so that 100,000 spans are a few arrays. Times are
// microseconds since the trace began.

export type Piece = readonly [fromUs: number, untilUs: number];

export interface TraceWarning {
  code: string;
  message: string;
  rows: readonly number[];
}

export interface Trace {
  id: string;
  /** Microseconds since 1970. */
  beganUs: number;
  durationUs: number;
  count: number;
  errors: number;
  root: number;
  ids: readonly string[];
  services: readonly string[];
  names: readonly string[];
  kinds: readonly string[];
  /** Row of the parent, -1 at the top. */
  parents: Int32Array;
  depths: Int32Array;
  /** The row after the last one below it. */
  ends: Int32Array;
  starts: Float64Array;
  durations: Float64Array;
  selfTimes: Float64Array;
  isError: Uint8Array;
  /** Where something was noted during the span. */
  events: ReadonlyMap<number, readonly number[]>;
  /** The pieces of the critical path in which each of its spans was at work. */
  critical: ReadonlyMap<number, readonly Piece[]>;
  /** When nothing ran. */
  gaps: readonly Piece[];
  warnings: readonly TraceWarning[];
}

/** Distinct services with the number of their spans, most spans first. */
export function countServices(trace: Trace): [string, number][] {
  const counts = new Map<string, number>();
  for (const service of trace.services) counts.set(service, (counts.get(service) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

export function rowOf(trace: Trace, id: string): number {
  return trace.ids.indexOf(id);
}

/** Rows from the top down to the parent of a row. */
export function ancestors(trace: Trace, row: number): number[] {
  const found: number[] = [];
  for (let at = trace.parents[row] ?? -1; at >= 0; at = trace.parents[at] ?? -1) found.unshift(at);
  return found;
}
