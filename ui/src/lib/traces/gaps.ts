// When nothing of a trace ran: something there is not traced, or has not come.
import type { Piece } from "./model";

/** A pause is told when it takes this share of the trace. */
const LEAST_GAP = 0.02;

export function findGaps(starts: Float64Array, durations: Float64Array, durationUs: number): Piece[] {
  const byStart = Array.from(starts, (_, row) => row).sort((a, b) => (starts[a] as number) - (starts[b] as number));
  const gaps: Piece[] = [];
  let until = 0;
  for (const row of byStart) {
    const start = starts[row] as number;
    if (start - until > durationUs * LEAST_GAP) gaps.push([until, start]);
    until = Math.max(until, start + (durations[row] as number));
  }
  return gaps;
}
