// Latency answers and events as what charts draw.
import type { Latency, LogEvent } from "@/api/types";
import type { ChartSpec } from "./chart";
import { describeEvent } from "./events";
import type { ChartMark } from "./marks";
import { PHASES } from "./phases";

export function percentileSpec({ points }: Latency): ChartSpec {
  return {
    unit: "seconds",
    times: points.map(({ at }) => Date.parse(at) / 1000),
    series: [
      { label: "p50", color: "var(--series-1)", values: points.map((point) => point.p50_s), isFilled: true },
      { label: "p95", color: "var(--series-2)", values: points.map((point) => point.p95_s) },
      { label: "p99", color: "var(--series-3)", values: points.map((point) => point.p99_s) },
    ],
  };
}

/** Mean phases stacked in the order in which they happen; only those that happened at all. */
export function phaseSpec({ points }: Latency): ChartSpec {
  const present = PHASES.filter(({ key }) => points.some((point) => point.phases[key] != null));
  return {
    unit: "seconds",
    isStacked: true,
    times: points.map(({ at }) => Date.parse(at) / 1000),
    series: present.map(({ key, label, color }) => ({ label, color, values: points.map((point) => point.phases[key] ?? null) })),
  };
}

/** Whether there is a curve to draw at all. */
export function hasAnswers(latency: Latency | undefined): boolean {
  return latency?.points.some((point) => point.p50_s !== null) ?? false;
}

export function toMark(event: LogEvent): ChartMark {
  const { text, detail, verdict, subject } = describeEvent(event);
  return { atS: Date.parse(event.at) / 1000, text: `${subject} ${text}${detail ? `: ${detail}` : ""}`, verdict, event };
}
