// Disks, interfaces and processes as they are now.
import type { HostSnapshot } from "@/api/types";
import { Meter } from "@/components/Meter";
import table from "@/components/table.module.css";
import { formatBytes, formatCount, formatPercent, NOTHING } from "@/lib/format";
import classes from "./Host.module.css";

const PLAIN = `${table.table} ${table.plain}`;

export function DiskTable({ disks }: { disks: HostSnapshot["disks"] }) {
  return (
    <table className={PLAIN}>
      <thead>
        <tr>
          <th>Mount</th>
          <th className={classes.optional}>Device</th>
          <th data-align="right">Size</th>
          <th data-align="right" style={{ width: 150 }}>
            Used
          </th>
          <th data-align="right" style={{ width: 72 }}>
            Inodes
          </th>
        </tr>
      </thead>
      <tbody>
        {disks.map((disk) => (
          <tr key={disk.mount}>
            <td className="mono" data-tip={disk.mount}>
              {disk.mount}
            </td>
            <td className={`${classes.optional} faint`} data-tip={disk.device}>
              {disk.device.replace("/dev/", "")} {disk.fstype}
              {disk.read_only && ", read only"}
            </td>
            <td data-align="right" className="dim">
              {formatBytes(disk.total)}
            </td>
            <td data-align="right" data-tip={`${formatBytes(disk.free)} free`}>
              {disk.hung ? "does not answer" : <Meter share={disk.percent / 100} text={formatPercent(disk.percent)} />}
            </td>
            <td data-align="right" className="dim">
              {formatPercent(disk.inodes_percent)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function rate(bytes: number | null): string {
  return bytes === null ? NOTHING : `${formatBytes(bytes)}/s`;
}

export function NetworkTable({ network }: { network: HostSnapshot["network"] }) {
  return (
    <table className={PLAIN}>
      <thead>
        <tr>
          <th>Interface</th>
          <th data-align="right">In</th>
          <th data-align="right">Out</th>
          <th data-align="right" data-tip="Since the interface came up">
            Errors, drops
          </th>
        </tr>
      </thead>
      <tbody>
        {network.map((one) => (
          <tr key={one.interface}>
            <td className="mono">{one.interface}</td>
            <td data-align="right">{rate(one.rx_bytes_s)}</td>
            <td data-align="right">{rate(one.tx_bytes_s)}</td>
            <td data-align="right" className="dim">
              {formatCount(one.errors)}, {formatCount(one.drops)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function ProcessTable({ processes }: { processes: HostSnapshot["processes"] }) {
  return (
    <table className={PLAIN}>
      <thead>
        <tr>
          <th style={{ width: 150 }}>Process</th>
          <th className={classes.optional} style={{ width: 84 }} data-align="right">
            PID
          </th>
          <th className={classes.optional} style={{ width: 110 }}>
            User
          </th>
          <th style={{ width: 72 }} data-align="right">
            CPU
          </th>
          <th style={{ width: 92 }} data-align="right">
            Memory
          </th>
          <th className={classes.optional}>Command</th>
        </tr>
      </thead>
      <tbody>
        {processes.map((process) => (
          <tr key={process.pid}>
            <td>{process.name}</td>
            <td className={`${classes.optional} faint`} data-align="right">
              {process.pid}
            </td>
            <td className={`${classes.optional} dim`}>{process.user}</td>
            <td data-align="right">{formatPercent(process.cpu_percent)}</td>
            <td data-align="right" className="dim">
              {formatBytes(process.rss_bytes)}
            </td>
            <td className={`${classes.optional} mono dim`} data-tip={process.command}>
              {process.command}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
