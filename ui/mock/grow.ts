// What the server finds out about a trace, for the mock: the tree, self times, the critical path, what is odd about it.
import { formatDuration, plural } from "../src/lib/format.ts";
import { findGaps } from "../src/lib/traces/gaps.ts";
import type { Piece, Trace, TraceWarning } from "../src/lib/traces/model";

/** A span as the server names it, before it has its place in the tree. */
export interface PlainSpan {
  id: string;
  parentId: string;
  service: string;
  name: string;
  kind: string;
  startUs: number;
  durationUs: number;
  isError: boolean;
  eventsUs: readonly number[];
}

export function growTrace(id: string, spans: readonly PlainSpan[]): Trace {
  const { order, parents, depths, ends } = arrange(spans);
  const count = order.length;
  const beganUs = order.reduce((least, at) => Math.min(least, (spans[at] as PlainSpan).startUs), Infinity);
  const starts = new Float64Array(count);
  const durations = new Float64Array(count);
  const isError = new Uint8Array(count);
  const events = new Map<number, readonly number[]>();
  let durationUs = 0;
  order.forEach((at, row) => {
    const span = spans[at] as PlainSpan;
    starts[row] = span.startUs - beganUs;
    durations[row] = span.durationUs;
    isError[row] = span.isError ? 1 : 0;
    durationUs = Math.max(durationUs, span.startUs - beganUs + span.durationUs);
    if (span.eventsUs.length > 0) events.set(row, span.eventsUs.map((atUs) => atUs - beganUs));
  });
  const column = <K extends "id" | "service" | "name" | "kind">(key: K) => order.map((at) => (spans[at] as PlainSpan)[key]);
  const children = childrenOf(parents);
  const root = rootOf(order.map((at) => spans[at] as PlainSpan), parents, starts);
  return {
    id, beganUs, durationUs, count, root, parents, depths, ends, starts, durations, isError, events,
    errors: isError.reduce((sum, one) => sum + one, 0),
    ids: column("id"),
    services: column("service"),
    names: column("name"),
    kinds: column("kind"),
    selfTimes: measureSelfTimes(children, starts, durations),
    critical: findCriticalPath(root, children, starts, durations),
    gaps: findGaps(starts, durations, durationUs),
    warnings: findWarnings(order.map((at) => spans[at] as PlainSpan), parents, starts),
  };
}

/** Spans in the order of a waterfall: children by their start; those without a parent, or in a circle, at the top. */
function arrange(spans: readonly PlainSpan[]): { order: number[]; parents: Int32Array; depths: Int32Array; ends: Int32Array } {
  const places = new Map(spans.map((span, at) => [span.id, at]));
  const below: number[][] = spans.map(() => []);
  const tops: number[] = [];
  const byStart = (a: number, b: number) => (spans[a] as PlainSpan).startUs - (spans[b] as PlainSpan).startUs || a - b;
  spans.forEach((span, at) => {
    const parent = span.parentId === span.id ? undefined : places.get(span.parentId);
    (parent === undefined ? tops : (below[parent] as number[])).push(at);
  });
  for (const children of below) children.sort(byStart);
  tops.sort(byStart);
  const rows = new Int32Array(spans.length).fill(-1);
  const order: number[] = [];
  const above: number[] = [];
  const walk = (top: number): void => {
    const waiting: [number, number][] = [[top, -1]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [at, parent] = next;
      if (rows[at] !== -1) continue;
      rows[at] = order.length;
      above.push(parent);
      order.push(at);
      const children = below[at] as number[];
      for (let last = children.length - 1; last >= 0; last -= 1) waiting.push([children[last] as number, rows[at] as number]);
    }
  };
  for (const top of tops) walk(top);
  // Whatever was not reached hangs on a circle.
  for (let at = 0; at < spans.length; at += 1) if (rows[at] === -1) walk(at);
  const parents = Int32Array.from(above);
  const depths = new Int32Array(order.length);
  const ends = Int32Array.from(order, (_, row) => row + 1);
  parents.forEach((parent, row) => {
    if (parent >= 0) depths[row] = (depths[parent] as number) + 1;
  });
  for (let row = order.length - 1; row >= 0; row -= 1) {
    const parent = parents[row] as number;
    if (parent >= 0) ends[parent] = Math.max(ends[parent] as number, ends[row] as number);
  }
  return { order, parents, depths, ends };
}

function childrenOf(parents: Int32Array): number[][] {
  const children: number[][] = Array.from(parents, () => []);
  parents.forEach((parent, row) => {
    if (parent >= 0) (children[parent] as number[]).push(row);
  });
  return children;
}

function rootOf(spans: readonly PlainSpan[], parents: Int32Array, starts: Float64Array): number {
  let [best, bestOrphan] = [-1, -1];
  const isEarlier = (row: number, than: number) => than < 0 || (starts[row] as number) < (starts[than] as number);
  parents.forEach((parent, row) => {
    if (parent >= 0) return;
    if (!(spans[row] as PlainSpan).parentId && isEarlier(row, best)) best = row;
    if (isEarlier(row, bestOrphan)) bestOrphan = row;
  });
  return best >= 0 ? best : bestOrphan;
}

/** The time in which no child ran; children that overlap count once. */
function measureSelfTimes(children: readonly number[][], starts: Float64Array, durations: Float64Array): Float64Array {
  return Float64Array.from(children, (rows, row) => {
    let coveredUntil = starts[row] as number;
    const end = coveredUntil + (durations[row] as number);
    let own = durations[row] as number;
    for (const child of rows) {
      const from = Math.max(starts[child] as number, coveredUntil);
      const until = Math.min((starts[child] as number) + (durations[child] as number), end);
      if (until <= from) continue;
      own -= until - from;
      coveredUntil = until;
    }
    return own;
  });
}

/** From the root's end backwards: the child that ended last was waited for, and so on. Source: CRISP, USENIX ATC 2022. */
function findCriticalPath(root: number, children: readonly number[][], starts: Float64Array, durations: Float64Array): Map<number, Piece[]> {
  const pieces = new Map<number, Piece[]>();
  const add = (row: number, from: number, until: number): void => {
    if (until <= from) return;
    const before = pieces.get(row);
    if (before) before.push([from, until]);
    else pieces.set(row, [[from, until]]);
  };
  if (root < 0) return pieces;
  const endOf = (row: number) => (starts[row] as number) + (durations[row] as number);
  const waiting: [number, number, number][] = [[root, starts[root] as number, endOf(root)]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [row, from, until] = next;
    let cursor = until;
    const clipped = (children[row] as number[]).map((child): [number, number, number] => [Math.min(endOf(child), until), Math.max(starts[child] as number, from), child]);
    clipped.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
    for (const [end, start, child] of clipped) {
      if (start >= end || end > cursor) continue;
      add(row, end, cursor);
      waiting.push([child, start, end]);
      cursor = start;
    }
    add(row, from, cursor);
  }
  for (const backwards of pieces.values()) backwards.reverse();
  return pieces;
}

function findWarnings(spans: readonly PlainSpan[], parents: Int32Array, starts: Float64Array): TraceWarning[] {
  const ids = new Set(spans.map((span) => span.id));
  const rows = (holds: (row: number) => boolean) => Array.from(parents, (_, row) => row).filter(holds);
  const roots = rows((row) => !(spans[row] as PlainSpan).parentId);
  const orphans = rows((row) => parents[row] === -1 && (spans[row] as PlainSpan).parentId !== "" && !ids.has((spans[row] as PlainSpan).parentId));
  const early = rows((row) => {
    const parent = parents[row] as number;
    return parent >= 0 && spans[row]?.service !== spans[parent]?.service && (starts[row] as number) < (starts[parent] as number);
  });
  const most = Math.max(0, ...early.slice(0, 10_000).map((row) => (starts[parents[row] as number] as number) - (starts[row] as number)));
  const late = early.length === 1 ? "begins before the span that called it" : "begin before the spans that called them";
  return [
    { code: "missing_root", message: "The root span has not come; the earliest span stands for it.", rows: roots.length === 0 ? rows((row) => parents[row] === -1).slice(0, 1) : [] },
    { code: "many_roots", message: `${roots.length} spans have no parent; a trace has one root.`, rows: roots.length > 1 ? roots : [] },
    { code: "missing_parent", message: `${plural(orphans.length, "span")} ${orphans.length === 1 ? "names" : "name"} a parent that has not come.`, rows: orphans },
    { code: "clock_skew", message: `Clocks differ: ${plural(early.length, "span")} ${late}, by up to ${formatDuration(most / 1e6)}.`, rows: early },
  ].filter((warning) => warning.rows.length > 0);
}
