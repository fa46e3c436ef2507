// Asks the server what is being explored: over the range for curves, at its end for tables.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import type { MatrixSeries } from "@/api/prom";
import { instantQuery, rangeQuery, stepOf } from "@/api/promQueries";
import type { ChartDot, Unit } from "@/lib/chart";
import { type Exploration, letterOf } from "@/lib/explore";
import { guessUnit } from "@/lib/promql";
import { type Curve, drawParts, matrixOf, type Part, seriesName, splitLabels } from "@/lib/promSeries";
import { useExemplars, useIdentity } from "@/state/exemplars";
import { useTimeRange } from "@/state/timerange";
import type { QueryState } from "./QueryRow";

export const WEEK_S = 604_800;

export interface Asked {
  place: number;
  expr: string;
}

/** The queries that are written and shown, with their places. */
export function askedOf({ queries, hidden }: Exploration): Asked[] {
  return queries.map((expr, place) => ({ place, expr })).filter(({ expr, place }) => expr.trim() !== "" && !hidden.includes(place));
}

/** A column of a heat map must be wide enough to be pointed at. */
const HEAT_POINTS = 120;

export function useStates(exploration: Exploration): { states: ReadonlyMap<number, QueryState>; step: number } {
  const { range } = useTimeRange();
  const step = exploration.step || stepOf(range, exploration.view === "heat" ? HEAT_POINTS : undefined);
  const asked = askedOf(exploration);
  const isOverRange = exploration.view === "graph" || exploration.view === "heat";
  const ranges = useQueries({ queries: asked.map(({ expr }) => ({ ...rangeQuery({ expr, range, step }), enabled: isOverRange })) });
  const instants = useQueries({ queries: asked.map(({ expr }) => ({ ...instantQuery(expr, range), enabled: !isOverRange })) });
  const results = isOverRange ? ranges : instants;
  const states = new Map(
    asked.map(({ place, expr }, at): [number, QueryState] => {
      const result = results[at];
      return [place, { expr, answer: result?.error ? undefined : result?.data, error: result?.error ?? null, isFetching: result?.isFetching ?? false }];
    }),
  );
  return { states, step };
}

export interface Picture {
  times: readonly number[];
  series: readonly Curve[];
  unit: Unit;
  dots: readonly ChartDot[];
  /** How many exemplars there are, drawn or not. */
  dotCount: number;
  /** How many series there are in all, drawn or not. */
  count: number;
  /** What all series of a query have in common, by query. */
  shared: { letter: string; text: string }[];
}

export function usePicture(exploration: Exploration, states: ReadonlyMap<number, QueryState>, step: number, most: number): Picture {
  const { range } = useTimeRange();
  const asked = askedOf(exploration);
  const past = useQueries({ queries: asked.map(({ expr }) => ({ ...rangeQuery({ expr, range, step, backS: WEEK_S }), enabled: exploration.isCompared })) });
  const { dots, count: dotCount } = useExemplars(asked.filter(({ place }) => states.get(place)?.answer).map(({ expr }) => expr), exploration.hasExemplars);
  const answers = asked.map(({ place }) => states.get(place)?.answer);
  const pastAnswers = exploration.isCompared ? past.map((one) => one.data) : [];
  const isLettered = asked.length > 1;
  const key = useIdentity([...answers, ...pastAnswers]);
  const text = asked.map(({ expr, place }) => `${place} ${expr}`).join("\n");
  const drawn = useMemo(() => {
    const parts: Part[] = [];
    const shared: Picture["shared"] = [];
    let count = 0;
    asked.forEach(({ place, expr }, at) => {
      const answer = answers[at];
      if (!answer) return;
      const matrix = matrixOf(answer.data);
      count += matrix.length;
      const label = labeller(matrix.map((one) => one.metric), isLettered ? `${letterOf(place)} ` : "", expr);
      if (label.shared) shared.push({ letter: letterOf(place), text: label.shared });
      parts.push({ query: place, matrix, label: label.name });
      const before = pastAnswers[at];
      if (before) parts.push({ query: place, matrix: lastWeekOf(matrixOf(before.data), matrix, most), label: (metric) => `${label.name(metric)} (last week)`, shiftS: WEEK_S, isDashed: true });
    });
    const unit = (exploration.unit || guessUnit(asked.map(({ expr }) => expr))) as Unit;
    return { ...drawParts(parts, most), unit, count, shared };
  }, [key, text, exploration.unit, exploration.isCompared, most]);
  return { ...drawn, dots, dotCount };
}

/** What the drawn series were before: where not all are drawn, the first ones of then may be others. */
export function lastWeekOf(before: readonly MatrixSeries[], now: readonly MatrixSeries[], most: number): readonly MatrixSeries[] {
  if (now.length <= most) return before;
  const drawn = new Set(now.slice(0, most).map(({ metric }) => seriesName(metric)));
  return before.filter(({ metric }) => drawn.has(seriesName(metric)));
}

/** Names series by what tells them apart, and says once what they share. One without a label is called `nameless`. */
export function labeller(metrics: readonly Record<string, string>[], prefix: string, nameless = "{}"): { name: (metric: Record<string, string>) => string; shared: string } {
  const { shared, varying } = splitLabels(metrics);
  if (metrics.length < 2 || varying.length === 0) return { name: (metric) => prefix + (Object.keys(metric).length > 0 ? seriesName(metric) : nameless), shared: "" };
  const name = (metric: Record<string, string>): string => prefix + seriesName(Object.fromEntries(varying.filter((label) => metric[label] !== undefined).map((label) => [label, metric[label] ?? ""])));
  return { name, shared: Object.keys(shared).length > 0 ? seriesName(shared) : "" };
}
