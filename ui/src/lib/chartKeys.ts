// A chart read by keys: from sample to sample, from exemplar to exemplar, and what stands there in words.
import type uPlot from "uplot";
import { type ChartDot, type ChartSpec, formatUnit, placeOfDot } from "./chart";
import { formatAbsolute } from "./time";

export interface Place {
  index: number;
  dot: ChartDot | null;
}

const MOST_SAID = 6;

/** Left and right go through the samples, up and down through the exemplars; null where a key says nothing here. */
export function nextPlace(key: string, { times, dots = [] }: ChartSpec, from: Place | null): Place | null {
  const last = times.length - 1;
  if (last < 0) return null;
  const index = { ArrowLeft: (from?.index ?? last + 1) - 1, ArrowRight: (from?.index ?? -1) + 1, Home: 0, End: last }[key];
  if (index !== undefined) return { index: Math.max(0, Math.min(last, index)), dot: null };
  if ((key !== "ArrowUp" && key !== "ArrowDown") || dots.length === 0) return null;
  const sorted = [...dots].sort((a, b) => a.atS - b.atS);
  const atS = from?.dot?.atS ?? times[from?.index ?? last] ?? 0;
  const held = from?.dot ? sorted.indexOf(from.dot) : key === "ArrowUp" ? sorted.findLastIndex((one) => one.atS <= atS) : sorted.findIndex((one) => one.atS > atS);
  const before = held < 0 && key === "ArrowDown" ? sorted.length : held;
  const dot = sorted[Math.max(0, Math.min(sorted.length - 1, before + (key === "ArrowUp" ? 1 : -1)))] ?? null;
  return dot && { index: nearestIndex(times, dot.atS), dot };
}

function nearestIndex(times: readonly number[], atS: number): number {
  const after = times.findIndex((time) => time >= atS);
  if (after <= 0) return after < 0 ? times.length - 1 : 0;
  return (times[after] ?? 0) - atS < atS - (times[after - 1] ?? 0) ? after : after - 1;
}

/** Puts the crosshair there, upon the exemplar or the first curve that has a value. */
export function showPlace(chart: uPlot, { times, series }: ChartSpec, { index, dot }: Place): void {
  const value = series.find((one) => !one.isHidden && typeof one.values[index] === "number")?.values[index];
  const left = chart.valToPos(times[index] ?? 0, "x");
  const at = (dot && placeOfDot(chart, dot, false)) ?? { x: left, y: typeof value === "number" ? chart.valToPos(value, "y") : 0 };
  chart.setCursor({ left: at.x, top: at.y });
}

export function tellPlace({ times, series, unit }: ChartSpec, { index, dot }: Place): string {
  if (dot) return [`${formatAbsolute(new Date(dot.atS * 1000))}: exemplar of ${dot.text}`, formatUnit(dot.value, unit), ...dot.labels.map(([name, value]) => `${name} ${value}`)].join(", ");
  const known = series.filter((one) => !one.isHidden && typeof one.values[index] === "number");
  const texts = known.slice(0, MOST_SAID).map((one) => `${one.label} ${formatUnit(one.values[index], unit)}`);
  const rest = known.length > MOST_SAID ? [`and ${known.length - MOST_SAID} more`] : [];
  return `${formatAbsolute(new Date((times[index] ?? 0) * 1000))}: ${[...texts, ...rest].join(", ") || "no value"}`;
}
