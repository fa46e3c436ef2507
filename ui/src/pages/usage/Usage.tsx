// What comes in and is left out; who keeps how much and who reads it, by service and stream; what it costs, how it grows.
import { Button, SegmentedControl } from "@mantine/core";
import { IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { EVERYTHING, intakeQuery, usageQuery } from "@/api/usageQueries";
import type { UsageReport } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Page, Section } from "@/components/Page";
import { Empty, Failed, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { formatBytes, formatCount, plural } from "@/lib/format";
import { costText, hasPrice } from "@/lib/usage";
import { useUrlFilter } from "@/state/timerange";
import { Days } from "./Days";
import { CameIn } from "./CameIn";
import { Filters, useIntakeWish } from "./Filters";
import { LimitTable, ReaderTable, UseTable } from "./UsageTables";
import { UsageTabs } from "./UsageTabs";
import classes from "./Usage.module.css";

const SPANS = ["1", "7", "30", "90"];
const SEND_EXAMPLE = "echo 'hello' | curl --data-binary @- \\\n  'http://127.0.0.1:4653/api/v1/logs/lines?service=shop'";

export function Usage() {
  const [chosen, setDays] = useUrlFilter("days");
  const days = SPANS.includes(chosen) ? chosen : "7";
  const query = useQuery(usageQuery(Number(days)));
  const { wish, write, isNarrowed } = useIntakeWish();
  const whole = useQuery(intakeQuery(Number(days)));
  const intake = useQuery(intakeQuery(Number(days), wish));
  const hasCome = !!whole.data && whole.data.services.length + whole.data.drops.length > 0;
  return (
    <Page
      title="Usage"
      name="Usage"
      subtitle="What comes in, what is left out and why, who keeps how much, and who reads it."
      actions={<SegmentedControl size="xs" aria-label="Days" value={days} onChange={(value) => setDays(value === "7" ? "" : value)} data={SPANS.map((value) => ({ value, label: value === "1" ? "Today" : `${value} days` }))} />}
    >
      <UsageTabs />
      {(hasCome || isNarrowed) && <Filters whole={whole.data} wish={wish} isNarrowed={isNarrowed} onWrite={write} />}
      {isNarrowed ? (
        <QueryView query={intake} skeleton={<SkeletonBlock height={160} />}>
          {(found) => (found.services.length + found.drops.length === 0 ? <NothingFits days={days} onClear={() => write(EVERYTHING)} /> : <CameIn intake={found} />)}
        </QueryView>
      ) : (
        <QueryView query={query} skeleton={<Waiting />}>
          {(report) => (!intake.data?.drops.length && report.services.length === 0 && report.signals.every((signal) => signal.disk_bytes === 0) ? <Nothing /> : <Found report={report}>{intake.data ? <CameIn intake={intake.data} /> : intake.isError ? <Failed error={intake.error} onRetry={() => void intake.refetch()} /> : <SkeletonBlock height={160} />}</Found>)}
        </QueryView>
      )}
    </Page>
  );
}

function Found({ report, children }: { report: UsageReport; children: ReactNode }) {
  return (
    <>
      <Numbers report={report} />
      {children}
      <Days days={report.days} />
      {report.services.length > 0 && <UseTable title="Kept by services" aside="logs and traces; what is read is counted for logs" uses={report.services} currency={report.currency} isService />}
      {report.streams.length > 0 && (
        <UseTable title="Streams of logs" aside={report.streams_total > report.streams.length ? `the largest ${report.streams.length} of ${formatCount(report.streams_total)}` : undefined} uses={report.streams} currency={report.currency} />
      )}
      <div className={classes.pair}>
        <LimitTable limits={report.limits} />
        <ReaderTable readers={report.readers} />
      </div>
    </>
  );
}

function Numbers({ report }: { report: UsageReport }) {
  const read = report.readers.reduce((sum, reader) => sum + reader.bytes, 0);
  const cost = report.services.reduce((sum, use) => sum + (use.cost ?? 0), 0);
  return (
    <Figures
      items={[
        ...report.signals.map((signal) => ({ label: `${signal.signal.charAt(0).toUpperCase()}${signal.signal.slice(1)} on the disk`, value: formatBytes(signal.disk_bytes), note: signal.all_disk_bytes > signal.disk_bytes ? `of ${formatBytes(signal.all_disk_bytes)} of all tenants` : "" })),
        { label: "Log lines", value: formatBytes(report.days.reduce((sum, day) => sum + day.bytes, 0)), note: `${plural(report.days.reduce((sum, day) => sum + day.records, 0), "record")} of these days` },
        { label: "Read", value: formatBytes(read), note: `of log lines, by ${plural(report.readers.length, "reader")}` },
        { label: "Services", value: formatCount(report.services.length), note: `${plural(report.streams_total, "stream")} of logs` },
        hasPrice(report)
          ? { label: "Cost", value: costText(cost, report.currency), note: `${report.stored_gib_month} per GiB and month, ${report.read_gib} per GiB read` }
          : { label: "Cost", value: <span className="faint">no price</span>, note: "set usage.stored_gib_month" },
      ]}
    />
  );
}

function Nothing() {
  return (
    <Empty title="Nothing is kept yet" snippet={SEND_EXAMPLE} icon={<IconDatabase size={32} stroke={1.4} />}>
      Once logs, traces or metrics come in, this page says which service takes how much, and who reads it.
    </Empty>
  );
}

function NothingFits({ days, onClear }: { days: string; onClear: () => void }) {
  return (
    <Empty title="Nothing that fits came in or was left out" icon={<IconDatabase size={32} stroke={1.4} />}>
      Not in {days === "1" ? "the last day" : `the last ${days} days`}. Look further back, or{" "}
      <Button variant="default" size="compact-xs" onClick={onClear}>
        show all
      </Button>
    </Empty>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting}>
      <SkeletonBlock height={74} />
      <SkeletonBlock height={160} />
      <Section title="Services">
        <SkeletonRows rows={6} height={32} />
      </Section>
    </div>
  );
}

