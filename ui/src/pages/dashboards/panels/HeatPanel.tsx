// Buckets over time: of native histograms, of classic ones (`sum by (le)`), or plain series as rows.
import { useContext, useMemo } from "react";
import { HeatMap } from "@/components/HeatMap";
import { withoutZeros } from "@/lib/chart";
import { panelShows, panelValue } from "@/lib/dashboards";
import { heatOf, MOST_ROWS } from "@/lib/heat";
import { matrixOf } from "@/lib/promSeries";
import { usePickPath } from "@/state/chartPick";
import { useMarks } from "@/state/marks";
import { type PictureProps, ShownContext } from "./data";
import { NoData } from "./NoData";

export function HeatPanel({ panel, data, height }: PictureProps) {
  const heat = useMemo(() => {
    const all = heatOf(data.answers.flatMap(({ answer }) => (answer ? matrixOf(answer.data) : [])), data.answers.find((one) => one.grid)?.grid);
    return { ...all, rows: all.rows.slice(0, MOST_ROWS + 8) };
  }, [data.answers]);
  const pick = usePickPath([], data.answers.map((one) => one.expr));
  const marks = useMarks(panelShows(panel, useContext(ShownContext)).events);
  if (heat.rows.length === 0 || heat.times.length === 0) return <NoData />;
  const bound = (text: string): string => (text === "+Inf" || !Number.isFinite(Number(text)) ? text : withoutZeros(panelValue(Number(text), panel)));
  return <HeatMap marks={marks} heat={heat} height={height} bound={bound} onPick={(atS) => pick({ atS, dot: null, series: -1 })} label={`${panel.title}: ${heat.rows.length} buckets over time`} />;
}
