// A query that gives numbers: its curves.
import { IconChartLine } from "@tabler/icons-react";
import { useMemo } from "react";
import type { Result } from "@/api/prom";
import { SeriesLegend, useSeriesChoice } from "@/components/SeriesLegend";
import { Empty, Failed, Loading, problemOf, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import { plural } from "@/lib/format";
import { drawParts, matrixOf } from "@/lib/promSeries";
import { labeller } from "@/pages/metrics/results";
import { useMarks } from "@/state/marks";
import classes from "./Logs.module.css";

const HEIGHT = 340;
const DRAWN = 100;

interface NumbersViewProps {
  expr: string;
  numbers: { data: Result | undefined; error: Error | null; isFetching: boolean; refetch: () => unknown };
}

export function NumbersView({ expr, numbers: { data, error, isFetching, refetch } }: NumbersViewProps) {
  const marks = useMarks(true);
  const picture = useMemo(() => {
    const matrix = data ? matrixOf(data) : [];
    const { name, shared } = labeller(matrix.map((one) => one.metric), "", expr);
    return { ...drawParts([{ query: 0, matrix, label: name }], DRAWN), shared, count: matrix.length };
  }, [data, expr]);
  const { choice, visible } = useSeriesChoice(picture.series);
  if (error) return problemOf(error).status === 400 ? <div className={classes.noVolume}>Nothing to draw: see the error at the query.</div> : <Failed error={error} onRetry={() => void refetch()} isRetrying={isFetching} />;
  if (!data) return <Loading><SkeletonBlock height={HEIGHT} /></Loading>;
  if (picture.series.length === 0) {
    return (
      <Empty title="No data in this window" icon={<IconChartLine size={32} stroke={1.4} />}>
        The query is fine, and no line answers it between these two times. Choose a longer time range.
      </Empty>
    );
  }
  return (
    <div className={classes.numbers}>
      <TimeChart times={picture.times} series={visible} unit="number" marks={marks} isBare focused={choice.focused} height={HEIGHT} label={`${plural(picture.count, "series", "series")} over time`} />
      {picture.shared && (
        <p className="faint small">
          All have <code>{picture.shared}</code>
        </p>
      )}
      {picture.count > DRAWN && <p className="faint small">{`The first ${DRAWN} of ${plural(picture.count, "series", "series")} drawn.`}</p>}
      <SeriesLegend series={picture.series} unit="number" choice={choice} />
    </div>
  );
}
