// Draws an arrow through its lane with soft bends: flat across the columns it skips, curved between them.
import type { Place } from "./layers";

/** How far apart columns and rows stand, and how large the boxes are. */
export interface Spacing {
  columnPx: number;
  rowPx: number;
  box: { width: number; height: number };
}

export type Point = readonly [x: number, y: number];

/** The corners of an arrow: its ends and, between them, both sides of each place of its lane. */
export function cornersOf(from: Point, to: Point, lane: readonly Place[], { columnPx, rowPx, box }: Spacing): Point[] {
  const between = lane.flatMap(({ column, row }): Point[] => {
    const y = row * rowPx + box.height / 2;
    return [[column * columnPx, y], [column * columnPx + box.width, y]];
  });
  return [from, ...between, to];
}

/** How far up and down lanes go, in pixels; null where there are none. */
export function reachOf(lanes: Iterable<readonly Place[]>, { rowPx, box }: Spacing): readonly [top: number, bottom: number] | null {
  const heights = [...lanes].flatMap((lane) => lane.map(({ row }) => row * rowPx + box.height / 2));
  return heights.length > 0 ? [Math.min(...heights), Math.max(...heights)] : null;
}

export function bentPath(corners: readonly Point[]): string {
  return corners.slice(1).reduce((text, [x, y], index) => {
    const [fromX, fromY] = corners[index] ?? [0, 0];
    const bend = (x - fromX) / 2;
    return `${text}C${fromX + bend} ${fromY} ${x - bend} ${y} ${x} ${y}`;
  }, `M${corners[0]?.join(" ")}`);
}
