// The slowest check's latency over the window with the service's events as marks: the one curve users would feel.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { checksQuery, latencyQuery } from "@/api/queries";
import type { ServiceDetail } from "@/api/types";
import { checkPath, Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import { hasAnswers, percentileSpec, toMark } from "@/lib/latency";
import { leadCheck } from "@/lib/services";
import { useRecentEvents } from "@/state/events";
import { useTimeRange } from "@/state/timerange";

export function ServiceTimeline({ service }: { service: ServiceDetail }) {
  const names = new Set(service.checks.map((check) => check.name));
  const lead = leadCheck(useQuery(checksQuery).data?.filter((check) => names.has(check.name)) ?? []);
  return lead ? <LeadLatency service={service.name} check={lead.name} /> : null;
}

function LeadLatency({ service, check }: { service: string; check: string }) {
  const { range } = useTimeRange();
  const query = useQuery(latencyQuery(check, range));
  const events = useRecentEvents({ service }, 60).query.data;
  const marks = useMemo(() => (events ?? []).filter((event) => event.kind === "check.changed" || event.kind.startsWith("deploy.")).map(toMark), [events]);
  const spec = useMemo(() => query.data && percentileSpec(query.data), [query.data]);
  return (
    <Section
      title="Latency"
      aside={
        <>
          of its slowest check,{" "}
          <Go to={checkPath(check)} className="link">
            {check}
          </Go>
        </>
      }
    >
      <QueryView query={query} skeleton={<SkeletonBlock height={182} />}>
        {(latency) =>
          spec && hasAnswers(latency) ? (
            <TimeChart {...spec} marks={marks} height={160} label={`Latency percentiles of ${check}, the slowest check of ${service}`} />
          ) : (
            <Empty isSmall title="No answer in this window">
              Choose a longer time range to look further back.
            </Empty>
          )
        }
      </QueryView>
    </Section>
  );
}
