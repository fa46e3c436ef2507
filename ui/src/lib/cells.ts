// Cells of an investigation: what they are called, where they lead, and their evidence as pages draw it.
import type { InvestigationCell } from "@/api/types";
import { shortTraceId } from "./traces/search";

const KIND_NAMES = { note: "Note", metrics: "Metrics", logs: "Logs", line: "A line", trace: "Trace", finding: "Finding" } as const;

export function cellTitle({ kind, content }: InvestigationCell): string {
  if (content.title) return content.title;
  if (kind === "trace") return `Trace ${shortTraceId(content.trace_id ?? "")}`;
  if (kind === "finding" && content.finding) return `${content.finding.service}: ${content.finding.lane}`;
  return KIND_NAMES[kind];
}

/** Where a cell's question is asked anew, over its own time; empty where there is nothing to ask. */
export function cellPath({ kind, content }: InvestigationCell): string {
  const params = new URLSearchParams();
  for (const query of content.queries ?? []) params.append("q", query);
  if (content.start && content.end) {
    params.set("from", content.start);
    params.set("to", content.end);
  }
  if (kind === "trace") return `/traces/${encodeURIComponent(content.trace_id ?? "")}${content.span_id ? `?span=${content.span_id}` : ""}`;
  if (kind === "metrics") return `/explore?${params.toString()}`;
  if (kind === "logs") return `/logs?${params.toString()}`;
  if (kind !== "finding") return "";
  if (content.finding?.language === "promql") return `/explore?${params.toString()}`;
  return content.finding?.language === "logql" ? `/logs?${params.toString()}` : "";
}

export interface KeptSeries {
  startMs: number;
  stepMs: number;
  series: { labels: Record<string, string>; values: (number | null)[] }[];
  leftOut: number;
}

/** The kept series; null where the evidence is something else. */
export function seriesOf(data: Readonly<Record<string, unknown>>): KeptSeries | null {
  if (!Array.isArray(data["series"])) return null;
  return {
    startMs: Number(data["start_ms"]),
    stepMs: Number(data["step_ms"]),
    series: data["series"] as KeptSeries["series"],
    leftOut: Number(data["left_out"] ?? 0),
  };
}

export interface KeptLine {
  ns: string;
  text: string;
  labels: Record<string, string>;
}

export function linesOfEvidence(data: Readonly<Record<string, unknown>>): KeptLine[] | null {
  return Array.isArray(data["lines"]) ? (data["lines"] as KeptLine[]) : null;
}

export interface KeptSpan {
  id: string;
  depth: number;
  service: string;
  name: string;
  startNs: number;
  durationNs: number;
  isFailed: boolean;
}

export interface KeptTrace {
  count: number;
  errors: number;
  durationNs: number;
  spans: KeptSpan[];
}

const FAILED = 2;

export function traceOfEvidence(data: Readonly<Record<string, unknown>>): KeptTrace | null {
  const columns = data["spans"] as Record<string, (number | string)[]> | undefined;
  if (!columns?.["ids"]) return null;
  const names = data["names"] as string[];
  const services = data["services"] as { name: string }[];
  const column = (name: string, row: number): number => Number(columns[name]?.[row] ?? 0);
  return {
    count: Number(data["count"]),
    errors: Number(data["errors"]),
    durationNs: Number(data["duration_ns"]),
    spans: columns["ids"].map((id, row) => ({
      id: String(id),
      depth: column("depths", row),
      service: services[column("services", row)]?.name ?? "",
      name: names[column("names", row)] ?? "",
      startNs: column("starts_ns", row),
      durationNs: column("durations_ns", row),
      isFailed: column("statuses", row) === FAILED,
    })),
  };
}

export function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).filter(([name]) => name !== "__name__");
  return `${labels["__name__"] ?? ""}${pairs.length > 0 ? `{${pairs.map(([name, value]) => `${name}="${value}"`).join(", ")}}` : ""}` || "{}";
}
