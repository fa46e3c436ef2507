// The question about a moment as it stands in the address, and how its answer is laid out in lanes.
import type { AroundLane, Finding } from "@/api/types";
import { durationText } from "./promql";
import { resolveRange, type TimeRange } from "./timerange";

export interface AroundQuestion {
  service: string;
  selector: string;
  trace: string;
  /** ISO 8601; empty for now. */
  at: string;
  window: string;
}

export const WINDOWS = ["5m", "15m", "1h", "6h"];
export const DEFAULT_WINDOW = "15m";

export const LANES: readonly { lane: AroundLane; label: string }[] = [
  { lane: "events", label: "Events" },
  { lane: "checks", label: "Checks" },
  { lane: "operations", label: "Operations" },
  { lane: "logs", label: "Logs" },
  { lane: "patterns", label: "Patterns" },
  { lane: "metrics", label: "Metrics" },
  { lane: "neighbours", label: "Neighbours" },
];

export function readQuestion(params: URLSearchParams): AroundQuestion {
  return {
    service: params.get("service") ?? "",
    selector: params.get("selector") ?? "",
    trace: params.get("trace") ?? "",
    at: params.get("at") ?? "",
    window: params.get("window") ?? DEFAULT_WINDOW,
  };
}

export function writeQuestion(params: URLSearchParams, change: Partial<AroundQuestion>): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(change)) {
    if (value === "" || (name === "window" && value === DEFAULT_WINDOW)) next.delete(name);
    else next.set(name, value);
  }
  return next;
}

/** Where the console tells what moved; of what, and when. */
export function aroundPath(asked: Partial<AroundQuestion>): string {
  return `/around?${writeQuestion(new URLSearchParams(), asked).toString()}`;
}

const NAMING = ["service_name", "service", "job", "app"];

/** What to ask about a series or a line: its service, or else the labels that tell where it comes from; null for none. */
export function subjectOf(labels: Readonly<Record<string, string>>): Partial<AroundQuestion> | null {
  const name = NAMING.map((label) => labels[label]).find(Boolean);
  if (name) return { service: name.slice(name.lastIndexOf("/") + 1) };
  const pairs = Object.entries(labels).filter(([label]) => label !== "__name__" && label !== "le");
  if (pairs.length === 0) return null;
  return { selector: `{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(", ")}}` };
}

/** What a query asks about, where its answer does not say: `sum(rate(x{job="shop/orders"}[5m]))`; a pattern names no one. */
export function subjectOfQuery(query: string): Partial<AroundQuestion> {
  const found = /\b(?:service_name|service|job|app)\s*=~?\s*"([^"|*+?()[\]^$\\]+)"/.exec(query)?.[1];
  return found ? { service: found.slice(found.lastIndexOf("/") + 1) } : {};
}

/** What several series have in common: the service that all of them name, else the one that the queries name. */
export function subjectOfAll(metrics: readonly Readonly<Record<string, string>>[], queries: readonly string[]): Partial<AroundQuestion> {
  const named = new Set(metrics.map((metric) => subjectOf(metric)?.service ?? ""));
  const [only = ""] = named;
  if (named.size === 1 && only) return { service: only };
  const asked = new Set(queries.map((query) => subjectOfQuery(query).service ?? ""));
  const [service = ""] = asked;
  return asked.size === 1 && service ? { service } : {};
}

const SHORTEST_S = 60;
const LONGEST_S = 86_400;
/** A third of the window lies behind its moment. */
const BEFORE = 2 / 3;

/** The moment and window that make up a time range; of a longer one than the server looks at, its end. */
export function aroundRange(range: TimeRange, now: Date): Pick<AroundQuestion, "at" | "window"> {
  const { start, end } = resolveRange(range, now);
  const spanS = Math.round((end.getTime() - start.getTime()) / 1000);
  const windowS = Math.max(SHORTEST_S, Math.min(LONGEST_S, spanS));
  const at = range.kind === "preset" ? "" : new Date(end.getTime() - windowS * (1 - BEFORE) * 1000).toISOString();
  return { at, window: durationText(windowS) };
}

export interface Bar {
  finding: Finding;
  /** The row within its lane. */
  row: number;
  /** Shares of the picture's width. */
  from: number;
  to: number;
}

export interface LaneLayout {
  lane: AroundLane;
  label: string;
  bars: Bar[];
  rows: number;
  left: number;
}

const MOST_ROWS = 6;
const LEAST_WIDTH = 0.012;
/** Room for a label behind the beginning of a bar, before the next one may stand in its row. */
const LABEL_WIDTH = 0.3;
/** A bar that begins later has its label before it. */
export const LATE = 0.62;

/** Puts findings into the rows of their lanes by when they moved; each lane shows its highest ranked. */
export function layLanes(findings: readonly Finding[], startMs: number, endMs: number): LaneLayout[] {
  const span = Math.max(endMs - startMs, 1);
  return LANES.map(({ lane, label }) => {
    const own = findings.filter((one) => one.lane === lane);
    const ends: number[] = [];
    const bars: Bar[] = [];
    let left = 0;
    const byTime = [...own].sort((a, b) => b.rank - a.rank).slice(0, MOST_ROWS * 2).sort((a, b) => a.moved_at.localeCompare(b.moved_at));
    left += own.length - byTime.length;
    for (const finding of byTime) {
      const from = clamp((Date.parse(finding.moved_at) - startMs) / span);
      const to = Math.max(clamp((Date.parse(finding.until) - startMs) / span), Math.min(from + LEAST_WIDTH, 1));
      const begin = from > LATE ? from - LABEL_WIDTH : from;
      let row = ends.findIndex((end) => end <= begin);
      if (row < 0) row = ends.length;
      if (row >= MOST_ROWS) {
        left += 1;
        continue;
      }
      ends[row] = from > LATE ? to : Math.max(to, from + LABEL_WIDTH);
      bars.push({ finding, row, from, to });
    }
    return { lane, label, bars, rows: Math.max(ends.length, 1), left };
  }).filter(({ bars }) => bars.length > 0);
}

/** For an input of date and time, in local time and to the second. */
export function toLocalSeconds(at: Date): string {
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

function clamp(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}

/** What a finding is called: an event says itself what happened, for its kind is no word for people. */
export function findingName({ evidence, reason, title }: Pick<Finding, "evidence" | "reason" | "title">): string {
  return evidence.kind === "event" ? reason.replace(/\.$/, "") : title;
}

export function sureWord(sure: number): string {
  if (sure >= 0.95) return "sure";
  return sure >= 0.8 ? "likely" : "maybe";
}

/** Where a finding's evidence is seen, with the time that was looked at. */
export function evidencePath({ evidence, service }: Finding): string {
  const time = { from: evidence.start, to: evidence.end };
  if (evidence.kind === "promql") return `/explore?${new URLSearchParams({ q: evidence.query, ...time }).toString()}`;
  if (evidence.kind === "logql") return `/logs?${new URLSearchParams({ q: evidence.query, ...time }).toString()}`;
  const at = Date.parse(evidence.start);
  const near = { from: new Date(at - 60_000).toISOString(), to: new Date(at + 60_000).toISOString() };
  return `/events?${new URLSearchParams({ ...(service ? { service } : {}), ...near }).toString()}`;
}
