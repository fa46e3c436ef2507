// From the server's document of a trace to the columns that the pages draw. What it tells in ns is told here in µs.
import type { TraceDocument } from "@/api/types";
import { formatDuration, plural } from "@/lib/format";
import { findGaps } from "./gaps";
import type { Piece, Trace, TraceWarning } from "./model";

const KINDS = ["", "internal", "server", "client", "producer", "consumer"];
const FAILED = 2;

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
    warnings: [...document.warnings.map(({ code, message, rows }) => ({ code, message, rows })), ...document.repetitions.map(repeated)],
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

function repeated(each: TraceDocument["repetitions"][number], at: number): TraceWarning {
  const how = each.kind === "n_plus_one" ? "one after the other" : `up to ${each.at_once} at once`;
  const same = each.distinct === 1 && each.statement ? ", the very same each time" : "";
  const message = `${each.service}: ${each.name} was called ${plural(each.count, "time")} by one span, ${how}${same}; they took ${formatDuration(each.busy_ns / 1e9)}.${each.statement ? ` ${each.statement}` : ""}`;
  return { code: `repeated-${at}`, message, rows: [each.parent, ...each.rows].slice(1) };
}
