// What a panel asks: its queries with the values of the variables, over the range or at its end.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Answer } from "@/api/prom";
import { instantQuery, rangeQuery, stepOf } from "@/api/promQueries";
import type { DashboardPanel } from "@/api/types";
import { type Chosen, fillQuery } from "@/lib/dashboards";
import { spanSeconds } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";

export interface PanelAnswer {
  expr: string;
  legend: string;
  answer: Answer | undefined;
}

export interface PanelData {
  answers: readonly PanelAnswer[];
  error: Error | null;
  isLoading: boolean;
  retry: () => void;
}

const OVER_RANGE: ReadonlySet<string> = new Set(["timeseries", "heatmap"]);
const POINTS = { timeseries: 180, heatmap: 60 } as const;

export function usePanelData(panel: DashboardPanel, chosen: Chosen, isSeen: boolean): PanelData {
  const { range } = useTimeRange();
  const isRange = OVER_RANGE.has(panel.kind);
  const step = stepOf(range, panel.kind === "heatmap" ? POINTS.heatmap : POINTS.timeseries);
  const asked = panel.queries
    .filter((query) => !query.hidden && query.expr.trim() !== "")
    .map((query) => ({ ...query, expr: fillQuery(query.expr, { chosen, stepS: step, rangeS: spanSeconds(range) }) }));
  const ranges = useQueries({ queries: asked.map(({ expr }) => ({ ...rangeQuery({ expr, range, step }), enabled: isSeen && isRange })) });
  const instants = useQueries({ queries: asked.map(({ expr }) => ({ ...instantQuery(expr, range), enabled: isSeen && !isRange })) });
  const results = isRange ? ranges : instants;
  const key = results.map((one) => `${one.dataUpdatedAt}/${one.data === undefined}`).join() + asked.map((one) => `${one.expr}/${one.legend}`).join("\n");
  // The key says when an answer is another one.
  const answers = useMemo(() => asked.map(({ expr, legend }, at): PanelAnswer => ({ expr, legend, answer: results[at]?.data })), [key]);
  return {
    answers,
    error: results.find((one) => one.error)?.error ?? null,
    isLoading: asked.length > 0 && results.every((one) => one.data === undefined && !one.error),
    retry: () => results.forEach((one) => void one.refetch()),
  };
}
