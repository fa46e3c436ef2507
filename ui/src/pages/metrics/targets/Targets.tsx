// Who is scraped, by job: health, last scrape, how long it took, what went wrong; a target opens its labels.
import { Select, Switch } from "@mantine/core";
import { IconTargetArrow } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { targetsQuery } from "@/api/seriesQueries";
import type { Targets as AllTargets } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { plural } from "@/lib/format";
import { poolsOf, targetKey, verdictOf } from "@/lib/targets";
import { useUrlFilter } from "@/state/timerange";
import { SCRAPE_EXAMPLE } from "../MetricBrowser";
import { MetricsTabs } from "../MetricsTabs";
import { PoolSection } from "./PoolSection";
import { TargetDrawer } from "./TargetDrawer";
import classes from "./Targets.module.css";

export function Targets() {
  const query = useQuery(targetsQuery);
  const [text] = useUrlFilter("q");
  const [pool, setPool] = useUrlFilter("pool");
  const [health, setHealth] = useUrlFilter("health");
  const [chosen, choose] = useUrlFilter("target");
  const isUnhealthyOnly = health === "unhealthy";
  const pools = useMemo(() => (query.data ? poolsOf(query.data, { text, pool, isUnhealthyOnly }) : []), [query.data, text, pool, isUnhealthyOnly]);
  const names = Object.keys(query.data?.droppedTargetCounts ?? {}).sort();
  const isNothing = pools.every((one) => one.shown.length === 0 && one.dropped.length === 0);
  const isFailing = pools.some((one) => one.failures.length > 0);
  return (
    <Page title="Targets" name="Targets" subtitle={query.data ? summary(query.data) : "\u00a0"}>
      <MetricsTabs />
      <div className={classes.filters} hidden={query.data !== undefined && names.length === 0}>
        <Switch size="xs" label="Unhealthy only" checked={isUnhealthyOnly} onChange={(event) => setHealth(event.currentTarget.checked ? "unhealthy" : "")} />
        <Select className={classes.pool} aria-label="Filter by job" placeholder="All jobs" data={names} value={pool || null} onChange={(value) => setPool(value ?? "")} searchable clearable />
        <FilterInput name="q" placeholder="Filter targets" />
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={10} />}>
        {() => {
          if (names.length === 0) {
            return (
              <Empty title="Nothing is scraped yet" snippet={SCRAPE_EXAMPLE} icon={<IconTargetArrow size={32} stroke={1.4} />}>
                Name what to scrape in <code>ops/prometheus.yml</code>; Prometheus' own file works as it is, and is loaded as soon as it is saved.
              </Empty>
            );
          }
          if (isNothing && isUnhealthyOnly && text === "" && !isFailing) return <Empty title="Every target is healthy">All that {pool ? <>the job {pool}</> : "the jobs"} scrape answered the last time.</Empty>;
          if (isNothing && text !== "") return <Empty title="No target matches">Change the filters above, or press Escape in the text filter.</Empty>;
          return pools.filter((one) => (text === "" && (!isUnhealthyOnly || one.failures.length > 0)) || one.shown.length + one.dropped.length > 0).map((one) => <PoolSection key={one.name} pool={one} onChoose={choose} />);
        }}
      </QueryView>
      <TargetDrawer isOpen={chosen !== ""} onClose={() => choose("")} target={query.data?.activeTargets.find((one) => targetKey(one) === chosen)} dropped={droppedOf(query.data, chosen)} />
    </Page>
  );
}

/** "dropped/job/3" names a target that relabelling dropped. */
function droppedOf(all: AllTargets | undefined, chosen: string) {
  return chosen.startsWith("dropped/") ? all?.droppedTargets[Number(chosen.slice("dropped/".length))] : undefined;
}

function summary({ activeTargets: active, droppedTargetCounts }: AllTargets): string {
  const down = active.filter((target) => verdictOf(target) === "down").length;
  const dropped = Object.values(droppedTargetCounts).reduce((sum, count) => sum + count, 0);
  return `${plural(active.length, "target")} of ${plural(Object.keys(droppedTargetCounts).length, "job")}${down > 0 ? `, ${down} down` : ""}${dropped > 0 ? `, ${dropped} dropped by relabelling` : ""}`;
}
