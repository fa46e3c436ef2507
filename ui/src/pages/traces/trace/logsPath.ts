// Where the logs page shows the lines of a trace, or of one of its spans: they may be written a while before and after.
import type { Trace } from "@/lib/traces/model";
import { traceLogQuery } from "@/lib/traces/search";

const AROUND_MS = 60_000;

export function logsPath(trace: Trace, spanId = ""): string {
  const from = new Date(trace.beganUs / 1000 - AROUND_MS).toISOString();
  const to = new Date((trace.beganUs + trace.durationUs) / 1000 + AROUND_MS).toISOString();
  return `/logs?${new URLSearchParams({ q: traceLogQuery(trace.id, spanId), from, to }).toString()}`;
}
