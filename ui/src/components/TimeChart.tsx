// One chart over time, drawn by uPlot: all charts of a page share crosshair, zoom and range, name their unit and show
// events as marks. Drag to zoom (it writes the global time range), double click to zoom out.
import { useMantineColorScheme } from "@mantine/core";
import { useColorScheme } from "@mantine/hooks";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { AXIS_WIDTH, buildChart, MARKS_PX, RIGHT_PAD, type ChartDot, type ChartSpec } from "@/lib/chart";
import { nextPlace, type Place, showPlace, tellPlace } from "@/lib/chartKeys";
import { type ChartMark, clustersOf, deploysOf, deployUnder, type MarkCluster } from "@/lib/marks";
import { type Pick, pickAt, watchPicks } from "@/lib/pick";
import { resolveRange, type TimeRange, zoomOut } from "@/lib/timerange";
import { usePrinting } from "@/state/printing";
import { useTimeRange } from "@/state/timerange";
import { DeployMarks } from "./DeployMarks";
import classes from "./TimeChart.module.css";

export interface TimeChartProps extends ChartSpec {
  /** Says what the chart shows, for those who cannot see it. */
  label: string;
  height?: number;
  marks?: readonly ChartMark[];
  /** Where the page has a legend of its own. */
  isBare?: boolean;
  /** The curve that is pointed at elsewhere: the others fade. */
  focused?: string | null;
  /** Somebody chose a moment, an observation or a curve by a click. */
  onPick?: ((pick: Pick) => void) | undefined;
}

export function TimeChart({ label, height = 200, marks = NO_MARKS, isBare = false, times, series, unit, isStacked = false, isBars = false, isFitted = false, dots = NO_DOTS, max, focused = null, onPick }: TimeChartProps) {
  const { range, setRange } = useTimeRange();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useScheme();
  const isPrinting = usePrinting();
  const [deploys, setDeploys] = useState<readonly MarkCluster[]>(NO_CLUSTERS);
  const [opened, setOpened] = useState<number | null>(null);
  const spec = useMemo<ChartSpec>(() => ({ times, series, unit, isStacked, isBars, isFitted, dots, ...(max === undefined ? {} : { max }) }), [times, series, unit, isStacked, isBars, isFitted, dots, max]);
  const actions = useRef({ range, setRange, onPick });
  const shape = `${scheme}|${isPrinting}|${height}|${unit}|${isStacked}|${isFitted}|${series.map((one) => `${one.label}${one.color}${one.isHidden ? "-" : ""}${one.isDashed ? "~" : ""}`).join()}`;
  const latest = useRef({ spec, marks });
  useEffect(() => {
    actions.current = { range, setRange, onPick };
    latest.current = { spec, marks };
  });

  // A new shape needs a new chart; new numbers only flow into it.
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const zoom = {
      in: (fromS: number, toS: number) => actions.current.setRange({ kind: "fixed", from: new Date(fromS * 1000), to: new Date(toS * 1000) }),
      out: () => actions.current.setRange(zoomOut(actions.current.range, new Date())),
    };
    const { options, data } = buildChart(latest, { width: element.clientWidth, height, classes, zoom, bars: isBars ? BARS : undefined });
    const chart = new uPlot(options, data, element);
    plot.current = chart;
    const place = (): void => {
      const found = clustersOf(chart, latest.current.marks).filter((cluster) => deploysOf(cluster).length > 0);
      setDeploys((before) => (placesOf(before) === placesOf(found) ? before : found));
    };
    (chart.hooks.draw ??= []).push(place);
    const choose = (pick: Pick): void => {
      const deploy = pick.dot || pick.x === undefined ? null : deployUnder(clustersOf(chart, latest.current.marks), pick.x);
      if (deploy === null) actions.current.onPick?.(pick);
      else setOpened(deploy);
    };
    const stopPicks = watchPicks(chart, () => latest.current.spec, () => choose);
    setWindow(chart, actions.current.range);
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      stopPicks();
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape, height, isBars]);

  useEffect(() => {
    const chart = plot.current;
    if (!chart) return;
    chart.batch(() => {
      chart.setData(buildChart.data(spec), false);
      setWindow(chart, range);
    });
  }, [spec, marks, range]);

  useEffect(() => {
    const at = focused === null ? -1 : spec.series.findIndex((one) => one.label === focused && !one.isHidden);
    plot.current?.setSeries(at < 0 ? null : at + 1, { focus: true });
  }, [focused, spec]);

  return (
    <figure className={classes.figure}>
      <div className={classes.stage}>
        <div ref={host} className={classes.plot} style={{ height }} role="img" aria-label={label} data-pickable={onPick !== undefined || undefined} />
        {onPick && <Keys plot={plot} spec={spec} label={label} onPick={onPick} />}
        <div className={classes.marks} style={{ left: AXIS_WIDTH, right: RIGHT_PAD, top: MARKS_PX - FLAG_PX }}>
          <DeployMarks clusters={deploys} opened={opened} onOpen={setOpened} />
        </div>
      </div>
      {!isBare && (
        <figcaption className={classes.legend}>
          {series.map((one) => (
            <span key={one.label} className={classes.key}>
              <i style={{ background: one.color }} />
              <span className="truncate">{one.label}</span>
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

interface KeysProps {
  plot: { current: uPlot | null };
  spec: ChartSpec;
  label: string;
  onPick: (pick: Pick) => void;
}

/** Arrows move the crosshair, Enter chooses what is under it: the pointer is not needed. */
function Keys({ plot, spec, label, onPick }: KeysProps) {
  const place = useRef<Place | null>(null);
  const [said, say] = useState("");
  const onKeyDown = (event: KeyboardEvent): void => {
    const chart = plot.current;
    if (!chart || event.ctrlKey || event.metaKey || event.altKey) return;
    const under = event.key === "Enter" && place.current ? pickAt(chart, spec) : null;
    const pick = under && { ...under, dot: place.current?.dot ?? null };
    const next = nextPlace(event.key, spec, place.current);
    if (!pick && !next) return;
    event.preventDefault();
    if (pick) return onPick(pick);
    if (!next) return;
    place.current = next;
    chart.over.dataset["keys"] = "";
    showPlace(chart, spec, next);
    say(tellPlace(spec, next));
  };
  const leave = (): void => {
    place.current = null;
    say("");
    if (plot.current) delete plot.current.over.dataset["keys"];
    plot.current?.setCursor({ left: -10, top: -10 });
  };
  return (
    <>
      <div className={classes.keys} role="application" tabIndex={0} aria-label={`Values: ${label}`} aria-description="Left and right: samples. Up and down: exemplars. Enter: what moved then, or the trace." onKeyDown={onKeyDown} onBlur={leave} />
      <span role="status" className="visually-hidden">
        {said}
      </span>
    </>
  );
}

/** Bars begin at their time and leave a gap to the next. */
const BARS = uPlot.paths.bars?.({ size: [0.88, 80], align: 1 });
const NO_MARKS: readonly ChartMark[] = [];
const NO_CLUSTERS: readonly MarkCluster[] = [];
/** How far a mark rises above the plot. */
const FLAG_PX = 12;

function placesOf(clusters: readonly MarkCluster[]): string {
  return clusters.map((one) => `${Math.round(one.x)}:${one.marks.length}:${deploysOf(one).map(({ seq }) => seq).join()}`).join(" ");
}

const NO_DOTS: readonly ChartDot[] = [];

function setWindow(chart: uPlot, range: TimeRange): void {
  const { start, end } = resolveRange(range, new Date());
  chart.setScale("x", { min: start.getTime() / 1000, max: end.getTime() / 1000 });
}

function useScheme(): "light" | "dark" {
  const { colorScheme } = useMantineColorScheme();
  const system = useColorScheme();
  return colorScheme === "auto" ? system : colorScheme;
}
