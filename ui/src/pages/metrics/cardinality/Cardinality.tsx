// How many series there are and may be: who sends them, which label explodes, how they grow, what nobody uses.
import { IconChartDots3 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { cardinalityQuery } from "@/api/seriesQueries";
import type { Cardinality as Report } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { LIMIT_SETTING, LIMIT_WORD, shareOf } from "@/lib/cardinality";
import { formatCount, formatShare, plural } from "@/lib/format";
import { useUrlFilter } from "@/state/timerange";
import { SCRAPE_EXAMPLE } from "../MetricBrowser";
import { MetricsTabs } from "../MetricsTabs";
import { Explosions } from "./Explosions";
import { Growth } from "./Growth";
import { MakeupDrawer } from "./MakeupDrawer";
import { LabelTable, MetricTable, SenderTable } from "./Tables";
import { Unused } from "./Unused";
import classes from "./Cardinality.module.css";

const TOP = 50;
/** From here on a limit is told before it is reached. */
const NEAR = 0.8;

export function Cardinality() {
  const query = useQuery(cardinalityQuery(TOP));
  const [metric, setMetric] = useUrlFilter("metric");
  return (
    <Page title="Cardinality" name="Cardinality" subtitle="How many series there are, who sends them, and which of them nobody uses.">
      <MetricsTabs />
      <QueryView query={query} skeleton={<Waiting />}>
        {(report) => (report.kept === 0 && report.active === 0 && Object.keys(report.refused).length === 0 ? <Nothing /> : <Found report={report} onChoose={setMetric} />)}
      </QueryView>
      <MakeupDrawer metric={metric} limit={query.data?.metric_limit ?? 0} onClose={() => setMetric("")} />
    </Page>
  );
}

function Found({ report, onChoose }: { report: Report; onChoose: (metric: string) => void }) {
  return (
    <>
      <Alarm report={report} />
      <Numbers report={report} />
      <Growth />
      {report.explosions.length > 0 && <Explosions report={report} />}
      <MetricTable report={report} onChoose={onChoose} />
      <div className={classes.pair}>
        <LabelTable labels={report.labels} />
        <SenderTable report={report} />
      </div>
      <Unused report={report} onChoose={onChoose} />
    </>
  );
}

function Alarm({ report }: { report: Report }) {
  const refused = Object.entries(report.refused);
  if (refused.length > 0) {
    return (
      <Notice tone="degraded" title={`New series are refused: ${plural(refused.reduce((sum, [, count]) => sum + count, 0), "time")} since Holdfast started`}>
        Series that are known go on. {refused.map(([reason, count]) => `${formatCount(count)} by ${LIMIT_WORD[reason] ?? reason}${LIMIT_SETTING[reason] ? ` (${LIMIT_SETTING[reason]})` : ""}`).join("; ")}.
      </Notice>
    );
  }
  if (shareOf(report.active, report.limit) < NEAR) return null;
  return (
    <Notice tone="degraded" title={`${formatShare(report.active, report.limit)} of the tenant's series are in use`}>
      At {formatCount(report.limit)} new ones are refused; known ones go on. What nobody uses stands at the end of this page.
    </Notice>
  );
}

function Numbers({ report }: { report: Report }) {
  const inHour = report.metrics.reduce((sum, one) => sum + one.new_in_hour, 0);
  const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0);
  // The first of the list is the one with the most that is kept, of which none may be active any more.
  const biggest = Math.max(0, ...report.metrics.map((one) => one.active));
  return (
    <Figures
      items={[
        { label: "Active series", value: formatCount(report.active), note: `${formatShare(report.active, report.limit)} of ${formatCount(report.limit)}` },
        { label: "Largest metric", value: formatCount(biggest), note: `of ${formatCount(report.metric_limit)} per metric` },
        { label: "Largest sender", value: formatCount(report.origins[0]?.active ?? 0), note: `of ${formatCount(report.origin_limit)} per sender` },
        { label: "New in the last hour", value: formatCount(inHour), note: `in the ${plural(report.metrics.length, "metric")} below` },
        { label: "Kept", value: formatCount(report.kept), note: "with samples in the store" },
        { label: "Refused", value: formatCount(refused), note: "since Holdfast started" },
        { label: "Unused", value: formatCount(report.unused_total.active), note: `active series of ${plural(report.unused_total.metrics, "metric")}` },
      ]}
    />
  );
}

function Nothing() {
  return (
    <Empty title="No series yet" snippet={SCRAPE_EXAMPLE} icon={<IconChartDots3 size={32} stroke={1.4} />}>
      Name what to scrape in ops/prometheus.yml, or let programs send OTLP or remote write. Then this page says who sends how much.
    </Empty>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting}>
      <SkeletonBlock height={74} />
      <SkeletonBlock height={220} />
      <Section title="Metrics">
        <SkeletonRows rows={8} height={32} />
      </Section>
    </div>
  );
}
