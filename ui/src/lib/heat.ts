// A heat map's cells: how many observations fell into each bucket at each step, from cumulated `le` buckets or plain series.
import type { MatrixSeries } from "@/api/prom";
import { parseValue, seriesName } from "./promSeries";

export interface Heat {
  times: number[];
  /** From the lowest bucket up. */
  rows: { label: string; values: (number | null)[] }[];
  max: number;
}

export function heatOf(matrix: readonly MatrixSeries[]): Heat {
  const hasBuckets = matrix.length > 0 && matrix.every((one) => one.metric["le"] !== undefined);
  const sums = new Map<string, Map<number, number>>();
  for (const { metric, values = [] } of matrix) {
    const name = hasBuckets ? (metric["le"] ?? "") : seriesName(metric);
    const row = sums.get(name) ?? new Map<number, number>();
    for (const [time, text] of values) {
      const value = parseValue(text);
      if (value !== null) row.set(time, (row.get(time) ?? 0) + value);
    }
    sums.set(name, row);
  }
  const times = [...new Set([...sums.values()].flatMap((row) => [...row.keys()]))].sort((a, b) => a - b);
  const names = [...sums.keys()];
  if (hasBuckets) names.sort((a, b) => boundOf(a) - boundOf(b));
  const rows = names.map((label, at) => {
    const below = hasBuckets && at > 0 ? sums.get(names[at - 1] ?? "") : undefined;
    // Buckets are cumulated: what is in one is what it has more than the one below.
    return { label, values: times.map((time) => difference(sums.get(label)?.get(time), below?.get(time))) };
  });
  const max = Math.max(0, ...rows.flatMap((row) => row.values.map((value) => value ?? 0)));
  return { times, rows, max };
}

function boundOf(le: string): number {
  return le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
}

function difference(value: number | undefined, below: number | undefined): number | null {
  return value === undefined ? null : Math.max(0, value - (below ?? 0));
}
