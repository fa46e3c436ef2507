// The machine that Holdfast runs on: now, over time, and who uses it.
import { useQuery } from "@tanstack/react-query";
import { hostQuery } from "@/api/queries";
import type { HostSnapshot } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Page, Section } from "@/components/Page";
import { QueryView, SkeletonBlock } from "@/components/states";
import { Age } from "@/components/When";
import { formatBytes, formatCount, formatPercent, plural } from "@/lib/format";
import { HostCharts } from "./HostCharts";
import { DiskTable, NetworkTable, ProcessTable } from "./HostTables";
import classes from "./Host.module.css";

export function Host() {
  const query = useQuery(hostQuery);
  const host = query.data;
  return (
    <Page
      title={host?.hostname ?? "Host"}
      name="Host"
      subtitle={
        host ? (
          <>
            {host.os}, kernel {host.kernel}, up for <Age since={host.boot_at} />
          </>
        ) : (
          "\u00a0"
        )
      }
    >
      <QueryView query={query} skeleton={<Skeleton />}>
        {(loaded) => (
          <>
            <Figures items={figures(loaded)} />
            <HostCharts />
            <div className={classes.tables}>
              <Section title="Disks">
                <DiskTable disks={loaded.disks} />
              </Section>
              <Section title="Network">
                <NetworkTable network={loaded.network} />
              </Section>
            </div>
            <Section title="Top processes" aside="by CPU; 100% is one core">
              <ProcessTable processes={loaded.processes} />
            </Section>
          </>
        )}
      </QueryView>
    </Page>
  );
}

function figures({ cpu, memory, fds, process_count }: HostSnapshot) {
  const [one = 0, five = 0, fifteen = 0] = cpu.load;
  return [
    { label: "CPU", value: formatPercent(cpu.percent), note: cpu.cores === cpu.count ? plural(cpu.count, "core") : `${cpu.cores} of ${plural(cpu.count, "core")}` },
    { label: "Load", value: one.toFixed(2), note: `${five.toFixed(2)} over 5 m, ${fifteen.toFixed(2)} over 15 m` },
    { label: "Memory", value: formatPercent(memory.percent), note: `${formatBytes(memory.used)} of ${formatBytes(memory.total)}` },
    {
      label: "Swap",
      value: memory.swap_total > 0 ? formatPercent((100 * memory.swap_used) / memory.swap_total) : "none",
      note: memory.swap_total > 0 ? `${formatBytes(memory.swap_used)} of ${formatBytes(memory.swap_total)}` : undefined,
    },
    ...(fds ? [{ label: "File descriptors", value: formatCount(fds.used), note: fds.max > 1e12 ? "no limit" : `of ${formatCount(fds.max)}` }] : []),
    { label: "Processes", value: formatCount(process_count), note: undefined },
  ];
}

function Skeleton() {
  return (
    <div className={classes.skeleton}>
      <SkeletonBlock height={76} />
      <SkeletonBlock height={200} />
      <SkeletonBlock height={200} />
    </div>
  );
}
