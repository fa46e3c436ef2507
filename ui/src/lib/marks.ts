// Events on a chart: those that would stand upon each other become one mark with their number, so that the curves stay in
// sight however much happened.
import type uPlot from "uplot";
import type { LogEvent, Verdict } from "@/api/types";
import { cssColor } from "./cssColor";
import { worst } from "./status";

/** An event on the time axis. */
export interface ChartMark {
  atS: number;
  text: string;
  verdict: Verdict | null;
  /** What it stands for, where it can be opened. */
  event?: LogEvent;
}

/** A deploy among the marks. */
export interface DeployMark {
  seq: number;
  text: string;
  event: LogEvent;
}

/** Events that are drawn as one. */
export interface MarkCluster {
  /** From the left edge of the plot, in CSS pixels. */
  x: number;
  marks: readonly ChartMark[];
  /** The worst of what they tell. */
  verdict: Verdict | null;
}

const CLUSTER_PX = 22;
/** More lines than this over the whole height would be a fence before the curves. */
const MOST_LINES = 12;
const STUB_PX = 12;
const REACH_PX = 6;
const TOLD = 5;

/** Joins marks that are nearer to the first of their group than a mark with a number is wide; those outside are left out. */
export function clusterMarks(marks: readonly ChartMark[], xOf: (atS: number) => number, widthPx: number): MarkCluster[] {
  const placed = marks.map((mark) => ({ mark, x: xOf(mark.atS) })).filter(({ x }) => x >= 0 && x <= widthPx).sort((a, b) => a.x - b.x);
  const groups: (typeof placed)[] = [];
  for (const one of placed) {
    const last = groups.at(-1);
    if (last?.[0] && one.x - last[0].x < CLUSTER_PX) last.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => {
    const verdicts = group.flatMap(({ mark }) => mark.verdict ?? []);
    return { x: group.reduce((sum, { x }) => sum + x, 0) / group.length, marks: group.map(({ mark }) => mark), verdict: verdicts.length > 0 ? worst(verdicts) : null };
  });
}

export function deploysOf({ marks }: MarkCluster): DeployMark[] {
  return marks.flatMap(({ text, event }) => (event?.kind.startsWith("deploy.") ? [{ seq: event.seq, text, event }] : []));
}

/** The deploy whose line is under the pointer, by the event that its card is known by. */
export function deployUnder(clusters: readonly MarkCluster[], pointerPx: number): number | null {
  const near = clusters.filter((one) => Math.abs(one.x - pointerPx) <= REACH_PX).flatMap(deploysOf);
  return near[0]?.seq ?? null;
}

export function clustersOf(chart: uPlot, marks: readonly ChartMark[]): MarkCluster[] {
  return clusterMarks(marks, (atS) => chart.valToPos(atS, "x"), chart.over.clientWidth);
}

export function drawMarks(chart: uPlot, marks: readonly ChartMark[]): void {
  if (marks.length === 0) return;
  const { ctx } = chart;
  const { left, top, height } = chart.bbox;
  const ratio = devicePixelRatio;
  const clusters = clustersOf(chart, marks);
  const length = clusters.length > MOST_LINES ? STUB_PX * ratio : height;
  ctx.save();
  ctx.lineWidth = ratio;
  for (const cluster of clusters) {
    const x = Math.round(left + cluster.x * ratio);
    const color = cssColor(colorOf(cluster));
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + length);
    ctx.stroke();
    if (cluster.marks.length > 1) drawNumber(ctx, { x, top, text: cluster.marks.length > 99 ? "99+" : String(cluster.marks.length), ratio });
    else drawFlag(ctx, x, top, ratio);
  }
  ctx.restore();
}

/** What can be opened stands out, unless it tells of trouble as well. */
function colorOf(cluster: MarkCluster): string {
  if (cluster.verdict) return `var(--${cluster.verdict}-fill)`;
  return deploysOf(cluster).length > 0 ? "var(--text)" : "var(--text-3)";
}

function drawFlag(ctx: CanvasRenderingContext2D, x: number, top: number, ratio: number): void {
  ctx.beginPath();
  ctx.moveTo(x - 4 * ratio, top - 6 * ratio);
  ctx.lineTo(x + 4 * ratio, top - 6 * ratio);
  ctx.lineTo(x, top);
  ctx.fill();
}

/** The number stands on the colour of its mark, as a flag that is wide enough for it. */
function drawNumber(ctx: CanvasRenderingContext2D, { x, top, text, ratio }: { x: number; top: number; text: string; ratio: number }): void {
  ctx.font = `600 ${9.5 * ratio}px 'Inter Variable', system-ui, sans-serif`;
  const width = Math.max(ctx.measureText(text).width + 7 * ratio, 13 * ratio);
  const height = 12 * ratio;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.roundRect(x - width / 2, top - height, width, height, 3 * ratio);
  ctx.fill();
  ctx.fillStyle = cssColor("var(--surface)");
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x, top - height / 2 + 0.5 * ratio);
}

/** What the marks under the pointer say: the first few of them, and how many more there are. */
export function tellMarks(clusters: readonly MarkCluster[], pointerPx: number): string[] {
  const near = clusters.find((one) => Math.abs(one.x - pointerPx) <= (one.marks.length > 1 ? CLUSTER_PX / 2 : REACH_PX));
  if (!near) return [];
  const told = near.marks.slice(0, TOLD).map((mark) => mark.text);
  const more = near.marks.length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}
