// The curves of the machine that share one crosshair and one time range.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { hostSeriesQuery } from "@/api/queries";
import type { HostMetric, HostSeries } from "@/api/types";
import { Section } from "@/components/Page";
import { QueryView, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import { align, type Unit } from "@/lib/chart";
import { useTimeRange } from "@/state/timerange";
import classes from "./Host.module.css";

interface Plot {
  metric: HostMetric;
  title: string;
  unit: Unit;
  unitText: string;
  isStacked?: boolean;
  max?: number;
}

const PLOTS: readonly Plot[] = [
  { metric: "cpu", title: "CPU", unit: "percent", unitText: "percent of all cores", isStacked: true, max: 100 },
  { metric: "load", title: "Load", unit: "load", unitText: "runnable processes" },
  { metric: "memory", title: "Memory", unit: "bytes", unitText: "bytes" },
  { metric: "network", title: "Network", unit: "bytes_per_second", unitText: "bytes per second" },
  { metric: "disk_io", title: "Disk throughput", unit: "bytes_per_second", unitText: "bytes per second" },
  { metric: "disk", title: "Disks", unit: "percent", unitText: "percent used", max: 100 },
  { metric: "fds", title: "File descriptors", unit: "count", unitText: "open" },
];

const COLORS = [1, 2, 3, 5, 6, 4].map((index) => `var(--series-${index})`);

export function HostCharts() {
  return (
    <div className={classes.charts}>
      {PLOTS.map((plot) => (
        <HostChart key={plot.metric} plot={plot} />
      ))}
    </div>
  );
}

function HostChart({ plot }: { plot: Plot }) {
  const { range } = useTimeRange();
  const query = useQuery(hostSeriesQuery(plot.metric, range));
  return (
    <Section title={plot.title} aside={plot.unitText}>
      <QueryView query={query} skeleton={<SkeletonBlock height={172} />}>
        {(series) => <Curves plot={plot} answer={series} />}
      </QueryView>
    </Section>
  );
}

/** What matters most comes first and gets the first colour; loopback comes last. */
const FIRST = ["user", "system", "iowait", "steal"];
const BY_NAME = new Intl.Collator("en", { numeric: true });

function place(label: string): number {
  const known = FIRST.indexOf(label);
  if (known >= 0) return known;
  return label.startsWith("lo ") ? FIRST.length + 1 : FIRST.length;
}

function Curves({ plot, answer }: { plot: Plot; answer: HostSeries }) {
  const { times, series } = useMemo(() => {
    // The whole is the sum of its parts where they are stacked; drawn with them it would count twice.
    const parts = plot.isStacked && answer.series.length > 1 ? answer.series.filter((one) => one.label !== "busy") : answer.series;
    const drawn = [...parts].sort((a, b) => place(a.label) - place(b.label) || BY_NAME.compare(a.label, b.label));
    const aligned = align(drawn.map((one) => one.points));
    return {
      times: aligned.times,
      series: drawn.map((one, index) => ({
        label: one.label,
        color: COLORS[index % COLORS.length] ?? "var(--series-4)",
        values: aligned.values[index] ?? [],
        isFilled: drawn.length === 1,
      })),
    };
  }, [answer, plot]);
  if (times.length === 0) return <p className="faint">Nothing was measured in this window.</p>;
  return <TimeChart times={times} series={series} unit={plot.unit} isStacked={plot.isStacked} max={plot.max} height={150} label={`${plot.title} of the host over time, in ${plot.unitText}`} />;
}
