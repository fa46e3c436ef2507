// From the server's document of a trace to the columns that the pages draw. What it tells in ns is told here in µs.
import type { TraceDocument } from "@/api/types";
import { formatDuration, plural } from "@/lib/format";
import { groupBy } from "@/lib/group";
import { findGaps } from "./gaps";
import type { Piece, Trace, TraceWarning } from "./model";

const KINDS = ["", "internal", "server", "client", "producer", "consumer"];
const FAILED = 2;
const MOST_REPETITIONS = 4;

export function readDocument(document: TraceDocument): Trace {
  const { spans, services, names } = document;
  const parents = Int32Array.from(spans.parents);
  const starts = inUs(spans.starts_ns);
  const durations = inUs(spans.durations_ns);
  const durationUs = document.duration_ns / 1000;
  return {
    id: document.trace_id,
    beganUs: Number(BigInt(document.start_ns) / 1000n),
    durationUs,
    count: document.count,
    errors: document.errors,
    root: document.root,
    ids: spans.ids,
    services: spans.services.map((at) => services[at]?.name ?? ""),
    names: spans.names.map((at) => names[at] ?? ""),
    kinds: spans.kinds.map((kind) => KINDS[kind] ?? ""),
    parents,
    depths: Int32Array.from(spans.depths),
    ends: endsOf(parents),
    starts,
    durations,
    selfTimes: inUs(spans.self_ns),
    isError: Uint8Array.from(spans.statuses, (status) => (status === FAILED ? 1 : 0)),
    events: gather(document.marks.rows, (at) => (document.marks.offsets_ns[at] as number) / 1000),
    critical: gather(document.critical_path.rows, (at): Piece => [(document.critical_path.starts_ns[at] as number) / 1000, (document.critical_path.ends_ns[at] as number) / 1000]),
    gaps: findGaps(starts, durations, durationUs),
    warnings: [...document.warnings.map(({ code, message, rows }) => ({ code, message, rows })), ...repeated(document.repetitions)],
  };
}

function inUs(ns: readonly number[]): Float64Array {
  return Float64Array.from(ns, (value) => value / 1000);
}

/** The row after the last one below each; parents stand before their children. */
function endsOf(parents: Int32Array): Int32Array {
  const ends = Int32Array.from(parents, (_, row) => row + 1);
  for (let row = parents.length - 1; row >= 0; row -= 1) {
    const parent = parents[row] as number;
    if (parent >= 0) ends[parent] = Math.max(ends[parent] as number, ends[row] as number);
  }
  return ends;
}

function gather<T>(rows: readonly number[], value: (at: number) => T): Map<number, T[]> {
  const found = new Map<number, T[]>();
  rows.forEach((row, at) => {
    const own = found.get(row);
    if (own) own.push(value(at));
    else found.set(row, [value(at)]);
  });
  return found;
}

type Repetition = TraceDocument["repetitions"][number];

/** Calls repeated in the same way by several spans are told once, those that took longest first. */
function repeated(found: readonly Repetition[]): TraceWarning[] {
  const kinds = [...groupBy(found, (each) => JSON.stringify([each.kind, each.service, each.name, each.statement])).values()];
  const told = kinds.slice(0, MOST_REPETITIONS).map((alike, at) => ({ code: `repeated-${at}`, message: sayRepeated(alike), rows: alike[0]?.rows ?? [] }));
  const rest = kinds.length - told.length;
  return rest > 0 ? [...told, { code: "repeated-more", message: `${plural(rest, "more call")} of other kinds ${rest === 1 ? "was" : "were"} repeated like this.`, rows: kinds[told.length]?.[0]?.rows ?? [] }] : told;
}

function sayRepeated(alike: readonly Repetition[]): string {
  const [each] = alike as [Repetition];
  const count = alike.reduce((sum, one) => sum + one.count, 0);
  const by = alike.length === 1 ? "one span" : plural(alike.length, "span");
  const how = each.kind === "n_plus_one" ? "one after the other" : `up to ${Math.max(...alike.map((one) => one.at_once))} at once`;
  const same = alike.every((one) => one.distinct === 1) && each.statement ? ", the very same each time" : "";
  const took = formatDuration(alike.reduce((sum, one) => sum + one.busy_ns, 0) / 1e9);
  return `${each.service}: ${each.name} was called ${plural(count, "time")} by ${by}, ${how}${same}; they took ${took}.${each.statement ? ` ${each.statement}` : ""}`;
}
