// What somebody points at in a chart: the moment, the observation, the nearest curve there.
import type uPlot from "uplot";
import { type ChartDot, type ChartSpec, nearestDot } from "./chart";

export interface Pick {
  atS: number;
  dot: ChartDot | null;
  /** The place of the nearest curve among the series; -1 where none has a value. */
  series: number;
  /** From the left edge of the plot, in CSS pixels. */
  x?: number;
}

/** Further away than this many pixels from where the button went down, it was a drag. */
const DRAG_PX = 4;
/** A second click within this time zooms out, and is no choice. */
export const DOUBLE_MS = 260;

export function pickAt(chart: uPlot, { times, series, dots = [] }: ChartSpec): Pick | null {
  const { idx, left, top } = chart.cursor;
  if (idx === null || idx === undefined || left === undefined || left < 0) return null;
  const pointer = chart.posToVal(top ?? 0, "y");
  let nearest = -1;
  let distance = Number.POSITIVE_INFINITY;
  series.forEach((one, place) => {
    const value = one.values[idx];
    if (one.isHidden || one.isDashed || value === null || value === undefined) return;
    const away = Math.abs(value - pointer);
    if (away < distance) [nearest, distance] = [place, away];
  });
  return { atS: times[idx] ?? chart.posToVal(left, "x"), dot: nearestDot(chart, dots), series: nearest, x: left };
}

/** Calls back for single clicks that are neither drags nor the first half of a double click; gives how to stop. */
export function watchPicks(chart: uPlot, spec: () => ChartSpec, onPick: () => ((pick: Pick) => void) | undefined): () => void {
  const { over } = chart;
  let downAt = [0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onDown = (event: MouseEvent): void => void (downAt = [event.clientX, event.clientY]);
  const onClick = (event: MouseEvent): void => {
    clearTimeout(timer);
    const tell = onPick();
    const isDrag = Math.hypot(event.clientX - (downAt[0] ?? 0), event.clientY - (downAt[1] ?? 0)) > DRAG_PX;
    const pick = tell && !isDrag && event.detail === 1 ? pickAt(chart, spec()) : null;
    if (pick && tell) timer = setTimeout(() => tell(pick), DOUBLE_MS);
  };
  over.addEventListener("mousedown", onDown);
  over.addEventListener("click", onClick);
  return () => {
    clearTimeout(timer);
    over.removeEventListener("mousedown", onDown);
    over.removeEventListener("click", onClick);
  };
}
