// The geometry of a sparkline: gaps where nothing was measured, a floor at zero, outliers capped so that shape survives.
import type { Verdict } from "@/api/types";

const PAD = 2;

export interface SparkShape {
  line: string;
  area: string;
  last: [number, number] | null;
}

export function sparkPath(values: readonly (number | null)[], width: number, height: number): SparkShape {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { line: "", area: "", last: null };
  const top = ceiling(known);
  const step = values.length > 1 ? (width - 2 * PAD) / (values.length - 1) : 0;
  const point = (value: number, index: number): [number, number] => [
    round(PAD + index * step),
    round(height - PAD - (Math.min(value, top) / top) * (height - 2 * PAD)),
  ];
  const runs: [number, number][][] = [[]];
  values.forEach((value, index) => {
    if (value === null) runs.push([]);
    else runs.at(-1)?.push(point(value, index));
  });
  const drawn = runs.filter((run) => run.length > 0);
  const line = drawn.map((run) => `M${run.map(([x, y]) => `${x} ${y}`).join("L")}`).join("");
  const area = drawn
    .filter((run) => run.length > 1)
    .map((run) => `M${run[0]?.[0]} ${height - PAD}L${run.map(([x, y]) => `${x} ${y}`).join("L")}L${run.at(-1)?.[0]} ${height - PAD}z`)
    .join("");
  return { line, area, last: drawn.at(-1)?.at(-1) ?? null };
}

/** The highest value, unless a lone spike is over four times the 90th percentile. */
function ceiling(known: readonly number[]): number {
  const sorted = [...known].sort((a, b) => a - b);
  const most = sorted.at(-1) ?? 0;
  const usual = sorted[Math.floor((sorted.length - 1) * 0.9)] ?? most;
  return Math.max(Math.min(most, usual * 4), Number.EPSILON);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The durations of results; what was not probed, or only waited for, took no time that could be drawn. */
export function measured(results: readonly { verdict: Verdict; duration_s: number }[]): (number | null)[] {
  return results.map((result) => (result.verdict === "unknown" || result.duration_s === 0 ? null : result.duration_s));
}
