// How long the check takes: percentiles over time, and where the time goes phase by phase.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { latencyQuery } from "@/api/queries";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import { formatDuration } from "@/lib/format";
import { hasAnswers, percentileSpec, phaseSpec, toMark } from "@/lib/latency";
import { useRecentEvents } from "@/state/events";
import { useTimeRange } from "@/state/timerange";

const MARKS_SHOWN = 60;

export function LatencySection({ name }: { name: string }) {
  const { range } = useTimeRange();
  const query = useQuery(latencyQuery(name, range));
  const events = useRecentEvents({ subject: `check/${name}` }, MARKS_SHOWN).query.data;
  const marks = useMemo(() => (events ?? []).map(toMark), [events]);
  const percentiles = useMemo(() => query.data && percentileSpec(query.data), [query.data]);
  const phases = useMemo(() => query.data && phaseSpec(query.data), [query.data]);
  const overall = query.data?.overall;
  const hasAny = hasAnswers(query.data);
  return (
    <>
      <Section
        title="Latency"
        aside={overall && hasAny && `over the window: p50 ${formatDuration(overall.p50_s)}, p95 ${formatDuration(overall.p95_s)}, p99 ${formatDuration(overall.p99_s)}`}
      >
        <QueryView query={query} skeleton={<SkeletonBlock height={222} />}>
          {() =>
            hasAny && percentiles ? (
              <TimeChart
                {...percentiles}
                marks={marks}
                height={190}
                label={`Latency percentiles; over the window p50 ${formatDuration(overall?.p50_s)}, p99 ${formatDuration(overall?.p99_s)}`}
              />
            ) : (
              <Empty isSmall title="No answer in this window">
                Percentiles are made of answers; failed runs do not count. Choose a longer time range to look further back.
              </Empty>
            )
          }
        </QueryView>
      </Section>
      {phases && phases.series.length > 1 && (
        <Section title="Where the time goes" aside="mean per phase, stacked">
          <TimeChart {...phases} marks={marks} height={150} label="Mean duration of each phase over time, stacked" />
        </Section>
      )}
    </>
  );
}
