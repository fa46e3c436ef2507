// The machine in one line; each figure leads to its chart.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { hostQuery } from "@/api/queries";
import type { HostSnapshot } from "@/api/types";
import { Go } from "@/components/Go";
import { formatBytes, formatPercent } from "@/lib/format";
import classes from "./HostStrip.module.css";

export function HostStrip() {
  const { data, isError } = useQuery(hostQuery);
  if (isError && !data) return null;
  return (
    <Go to="/host" className={classes.strip}>
      <Figure label="Host" value={data?.hostname ?? ""} />
      <Figure label="CPU" value={data ? formatPercent(data.cpu.percent) : ""} ratio={(data?.cpu.percent ?? 0) / 100} />
      <Figure label="Load" value={data ? data.cpu.load.map((load) => load.toFixed(2)).join("  ") : ""} />
      <Figure label="Memory" value={data ? `${formatPercent(data.memory.percent)} of ${formatBytes(data.memory.total)}` : ""} ratio={(data?.memory.percent ?? 0) / 100} />
      <Fullest data={data} />
      <Figure label="Network in, out" value={data ? `${formatBytes(sum(data, "rx_bytes_s"))}/s  ${formatBytes(sum(data, "tx_bytes_s"))}/s` : ""} />
    </Go>
  );
}

function Fullest({ data }: { data: HostSnapshot | undefined }) {
  const disk = data?.disks.filter((one) => !one.hung).sort((a, b) => b.percent - a.percent)[0];
  return <Figure label={<>Fullest disk {disk && <span className="mono">{disk.mount}</span>}</>} value={disk ? formatPercent(disk.percent) : ""} ratio={(disk?.percent ?? 0) / 100} />;
}

function sum(data: HostSnapshot, field: "rx_bytes_s" | "tx_bytes_s"): number {
  return data.network.reduce((total, one) => total + (one[field] ?? 0), 0);
}

function Figure({ label, value, ratio }: { label: ReactNode; value: string; ratio?: number }) {
  return (
    <span className={classes.figure}>
      <span className={classes.label}>{label}</span>
      <span className={classes.value}>{value || "\u00a0"}</span>
      {ratio !== undefined && (
        <span className={classes.track} aria-hidden>
          <span className={classes.level} style={{ transform: `scaleX(${Math.min(1, ratio)})` }} />
        </span>
      )}
    </span>
  );
}
