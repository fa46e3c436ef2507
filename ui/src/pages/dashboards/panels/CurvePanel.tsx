// Curves over time, with their legend below where there is room.
import { useContext, useMemo } from "react";
import { SeriesLegend, useSeriesChoice } from "@/components/SeriesLegend";
import { TimeChart } from "@/components/TimeChart";
import { panelShows, panelUnit } from "@/lib/dashboards";
import { plural } from "@/lib/format";
import { drawParts, legendName, matrixOf } from "@/lib/promSeries";
import { usePickPath } from "@/state/chartPick";
import { useExemplars } from "@/state/exemplars";
import { useMarks } from "@/state/marks";
import { labeller } from "@/pages/metrics/results";
import { type PictureProps, ShownContext } from "./data";
import { NoData } from "./NoData";
import { Rest, REST_PX } from "./Rest";

const DRAWN = 60;
const LEGEND_ROW_PX = 24;
const LEGEND_HEAD_PX = 26;
const CHART_LEAST_PX = 110;

export function CurvePanel({ panel, data, height }: PictureProps) {
  const shown = panelShows(panel, useContext(ShownContext));
  const marks = useMarks(shown.events);
  const queries = data.answers.map((one) => one.expr);
  const { dots: found } = useExemplars(data.answers.filter((one) => one.answer).map((one) => one.expr), shown.exemplars);
  const { unit, factor } = panelUnit(panel.unit);
  const drawn = useMemo(() => {
    const parts = data.answers.map(({ expr, legend, answer }, query) => {
      const matrix = answer ? matrixOf(answer.data) : [];
      const plain = labeller(matrix.map((one) => one.metric), "", expr);
      return { query, matrix, label: (metric: Record<string, string>) => (legend ? legendName(legend, metric) : plain.name(metric)) };
    });
    const { times, series } = drawParts(parts, DRAWN);
    const count = parts.reduce((sum, { matrix }) => sum + matrix.length, 0);
    return { times, count, series: factor === 1 ? series : series.map((one) => ({ ...one, values: one.values.map((value) => (value === null ? null : value * factor)) })) };
  }, [data.answers, factor]);
  const dots = useMemo(() => (factor === 1 ? found : found.map((dot) => ({ ...dot, value: dot.value * factor }))), [found, factor]);
  const pick = usePickPath(drawn.series, queries);
  const { choice, visible } = useSeriesChoice(drawn.series);
  if (drawn.series.length === 0) return <NoData />;
  const isCut = drawn.count > drawn.series.length;
  const room = isCut ? height - REST_PX : height;
  const wanted = LEGEND_HEAD_PX + drawn.series.length * LEGEND_ROW_PX;
  const legendHeight = Math.min(wanted, Math.max(LEGEND_HEAD_PX + LEGEND_ROW_PX * 2, room * 0.36));
  const hasLegend = room - legendHeight >= CHART_LEAST_PX;
  return (
    <>
      <TimeChart
        times={drawn.times}
        series={visible}
        unit={unit}
        marks={marks}
        dots={dots}
        onPick={pick}
        isStacked={panel.options?.["stacked"] === true}
        isFitted
        isBare
        focused={choice.focused}
        height={Math.round(hasLegend ? room - legendHeight : room)}
        label={`${panel.title}: ${plural(drawn.series.length, "series", "series")} over time`}
      />
      {hasLegend && <SeriesLegend series={drawn.series} unit={unit} choice={choice} maxHeight={legendHeight} />}
      {isCut && <Rest shown={drawn.series.length} count={drawn.count} />}
    </>
  );
}
