// How many lines came when, by level: bars of the chart and totals of the chips.
import type { MatrixSeries } from "@/api/prom";
import type { Grid } from "@/api/promQueries";
import type { ChartSeries } from "@/lib/chart";
import { LEVEL_COLOR, LEVELS, type Level, levelOf } from "@/lib/logs";

export interface Counts {
  grid: Grid;
  result: readonly MatrixSeries[];
}

export function totalsOf(counts: Counts | undefined): Partial<Record<Level, number>> {
  const totals: Partial<Record<Level, number>> = {};
  for (const { metric, values = [] } of counts?.result ?? []) {
    const level = levelOf(metric["detected_level"]);
    totals[level] = (totals[level] ?? 0) + values.reduce((sum, [, count]) => sum + Number(count), 0);
  }
  return totals;
}

/** One bar per step, at the step's begin: a count at a moment is of the step before it. */
export function barsOf({ grid, result }: Counts): { times: number[]; series: ChartSeries[] } {
  const length = Math.max(0, Math.round((grid.end - grid.start) / grid.step));
  const times = Array.from({ length }, (_, at) => grid.start + at * grid.step);
  const rows = new Map<Level, (number | null)[]>();
  for (const { metric, values = [] } of result) {
    const level = levelOf(metric["detected_level"]);
    const row = rows.get(level) ?? new Array<number | null>(length).fill(null);
    for (const [time, count] of values) {
      const at = Math.round((time - grid.start) / grid.step) - 1;
      if (at >= 0 && at < length) row[at] = (row[at] ?? 0) + Number(count);
    }
    rows.set(level, row);
  }
  return { times, series: LEVELS.filter((level) => rows.has(level)).map((level) => ({ label: level, color: LEVEL_COLOR[level], values: rows.get(level) ?? [] })) };
}
