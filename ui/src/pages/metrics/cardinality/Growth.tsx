// Series over the time range, all of them or those of one metric.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { growthQuery } from "@/api/seriesQueries";
import { Section } from "@/components/Page";
import { QueryView, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import type { SeriesGrowth } from "@/api/types";
import type { ChartSeries } from "@/lib/chart";
import { formatCount } from "@/lib/format";
import { useMarks } from "@/state/marks";
import { useTimeRange } from "@/state/timerange";

const HEIGHT = 180;

export function Growth({ metric = "" }: { metric?: string }) {
  const { range } = useTimeRange();
  const query = useQuery(growthQuery(range, metric));
  return (
    <Section title="Growth" aside={query.data && changeText(query.data)}>
      <QueryView query={query} skeleton={<SkeletonBlock height={HEIGHT} />}>
        {(growth) => <Curve growth={growth} metric={metric} />}
      </QueryView>
    </Section>
  );
}

function Curve({ growth, metric }: { growth: SeriesGrowth; metric: string }) {
  const marks = useMarks(true);
  const { times, series } = useMemo(() => {
    const curves: ChartSeries[] = [
      { label: "Series", color: "var(--series-1)", values: growth.points.map((point) => point.active), isFilled: true },
      { label: "New since the point before", color: "var(--series-3)", values: growth.points.map((point) => point.new) },
    ];
    return { times: growth.points.map((point) => Date.parse(point.at) / 1000), series: curves };
  }, [growth]);
  return <TimeChart times={times} series={series} unit="count" marks={marks} height={HEIGHT} label={`Series${metric ? ` of ${metric}` : ""} over time`} />;
}

export function changeText({ points }: SeriesGrowth): string {
  const [first, last] = [points[0], points[points.length - 1]];
  if (!first || !last) return "";
  const change = last.active - first.active;
  return `${change > 0 ? "+" : change < 0 ? "−" : "±"}${formatCount(Math.abs(change))} in this time; a series that ended is counted up to an hour longer`;
}
