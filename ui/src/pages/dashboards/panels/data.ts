// What a panel asks: its queries with the values of the variables, over the range or at its end.
import { useQueries } from "@tanstack/react-query";
import { createContext, useContext, useMemo } from "react";
import type { Answer } from "@/api/prom";
import { type Grid, instantQuery, rangeQuery, stepOf } from "@/api/promQueries";
import type { DashboardPanel } from "@/api/types";
import { type Chosen, fillQuery, fillTitle, variablesIn } from "@/lib/dashboards";
import { durationSeconds } from "@/lib/promql";
import { spanSeconds } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";
import type { Variables } from "../variables";

export interface PanelAnswer {
  expr: string;
  legend: string;
  answer: Answer | undefined;
  /** The steps that were asked for, of a query over the range. */
  grid?: Grid | undefined;
}

export interface PanelData {
  answers: readonly PanelAnswer[];
  error: Error | null;
  isLoading: boolean;
  retry: () => void;
}

/** What a panel draws, and how high. */
export interface PictureProps {
  panel: DashboardPanel;
  data: PanelData;
  height: number;
}

const OVER_RANGE: ReadonlySet<string> = new Set(["timeseries", "heatmap"]);
const POINTS = { timeseries: 180, heatmap: 60 } as const;

/** Whether curves show exemplars and events, where their panel does not say no. */
export const ShownContext = createContext({ exemplars: true, events: true });

/** What the values of variables mean, and which are not known yet. */
export const VariablesContext = createContext<Variables>({ literals: new Set(), all: {}, pending: new Set() });

/** How often the panels of a dashboard ask again, in milliseconds; null where that follows from the time range. */
export const RefreshContext = createContext<number | null>(null);
const LEAST_REFRESH_S = 5;

export function refreshMs(refresh: string): number | null {
  const seconds = durationSeconds(refresh);
  return Number.isNaN(seconds) ? null : Math.max(LEAST_REFRESH_S, seconds) * 1_000;
}

export function usePanelData(panel: DashboardPanel, chosen: Chosen, isSeen: boolean): PanelData {
  const { range } = useTimeRange();
  const everyMs = useContext(RefreshContext);
  const { literals, all, pending } = useContext(VariablesContext);
  const refetch = everyMs !== null && range.kind === "preset" ? { refetchInterval: everyMs } : {};
  const isRange = OVER_RANGE.has(panel.kind);
  const step = stepOf(range, panel.kind === "heatmap" ? POINTS.heatmap : POINTS.timeseries);
  const written = panel.queries.filter((query) => !query.hidden && query.expr.trim() !== "");
  const isReady = !written.some((query) => [...variablesIn(query.expr)].some((name) => pending.has(name)));
  const asked = written.map((query) => ({ ...query, legend: fillTitle(query.legend, chosen), expr: fillQuery(query.expr, { chosen, literals, all, stepS: step, rangeS: spanSeconds(range) }) }));
  const ranges = useQueries({ queries: asked.map(({ expr }) => ({ ...rangeQuery({ expr, range, step }), ...refetch, enabled: isSeen && isReady && isRange })) });
  const instants = useQueries({ queries: asked.map(({ expr }) => ({ ...instantQuery(expr, range), ...refetch, enabled: isSeen && isReady && !isRange })) });
  const results = isRange ? ranges : instants;
  const key = results.map((one) => `${one.dataUpdatedAt}/${one.data === undefined}`).join() + asked.map((one) => `${one.expr}/${one.legend}`).join("\n");
  // The key says when an answer is another one.
  const answers = useMemo(() => asked.map(({ expr, legend }, at): PanelAnswer => ({ expr, legend, answer: results[at]?.data, grid: isRange ? ranges[at]?.data?.grid : undefined })), [key]);
  return {
    answers,
    error: results.find((one) => one.error)?.error ?? null,
    isLoading: asked.length > 0 && results.every((one) => one.data === undefined && !one.error),
    retry: () => results.forEach((one) => void one.refetch()),
  };
}
