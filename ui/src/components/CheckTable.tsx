// Checks as dense rows; used by the list of checks and by a service's page.
import { IconPlayerPauseFilled, IconTool, IconWaveSawTool } from "@tabler/icons-react";
import { Button } from "@mantine/core";
import { memo, useMemo, useRef, useState } from "react";
import type { CheckSummary } from "@/api/types";
import { formatCount, formatDuration, formatUptime } from "@/lib/format";
import { type CheckSort, sortChecks } from "@/lib/checks";
import { measured } from "@/lib/spark";
import { useGlide, useGlow, useSettledOrder } from "@/state/motion";
import { checkPath, Go, servicePath } from "./Go";
import { Sparkline } from "./Sparkline";
import { StatusMark } from "./StatusMark";
import { UptimeBar } from "./UptimeBar";
import { Due } from "./When";
import table from "./table.module.css";
import classes from "./CheckTable.module.css";

interface CheckTableProps {
  checks: readonly CheckSummary[];
  sort: CheckSort;
  onSort?: (sort: CheckSort) => void;
  hasService?: boolean;
}

export function CheckTable({ checks, sort, onSort, hasService = true }: CheckTableProps) {
  const area = useRef<HTMLTableSectionElement>(null);
  const sorted = useMemo(() => sortChecks(checks, sort), [checks, sort]);
  const [room, setRoom] = useState(ROWS);
  const ordered = useSettledOrder(sorted, (check) => check.name, area);
  const shown = ordered.slice(0, room);
  useGlide(area, shown.map((check) => check.name).join());
  const head = (label: string, by: CheckSort["by"], className: string | undefined, align?: "right") => (
    <th className={className} data-align={align} aria-sort={sort.by === by ? (sort.isDown ? "descending" : "ascending") : undefined}>
      {onSort ? (
        <button type="button" className={table.sort} data-active={sort.by === by || undefined} onClick={() => onSort({ by, isDown: sort.by === by && !sort.isDown })}>
          {label}
          {sort.by === by && <span aria-hidden>{sort.isDown ? "↓" : "↑"}</span>}
        </button>
      ) : (
        label
      )}
    </th>
  );
  return (
    <>
      <table className={`${table.table} ${classes.checks}`}>
        <thead>
          <tr>
            {head("Status", "status", classes.status)}
            {head("Check", "name", classes.name)}
            {hasService && head("Service", "service", classes.service)}
            <th className={classes.message}>Latest result</th>
            <th className={classes.recent}>Recent</th>
            {head("Latency", "latency", classes.latency, "right")}
            {head("Uptime 24h", "uptime", classes.uptime, "right")}
            <th className={classes.next} data-align="right">
              Next run
            </th>
          </tr>
        </thead>
        <tbody ref={area}>
          {shown.map((check) => (
            <CheckRow key={check.name} check={check} hasService={hasService} />
          ))}
        </tbody>
      </table>
      {ordered.length > room && (
        <div className={classes.more}>
          <Button variant="default" onClick={() => setRoom(room + ROWS)}>
            Show {Math.min(ROWS, ordered.length - room)} more of {formatCount(ordered.length - room)}
          </Button>
        </div>
      )}
    </>
  );
}

/** A page of thousands of rows is slow, and nobody reads it: filters find what this leaves out. */
const ROWS = 250;

const CheckRow = memo(function CheckRow({ check, hasService }: { check: CheckSummary; hasService: boolean }) {
  const ref = useGlow<HTMLTableRowElement>(check.verdict);
  return (
    <tr ref={ref} data-key={check.name} data-paused={check.paused || undefined}>
      <td className={classes.status}>
        <StatusMark verdict={check.verdict} />
      </td>
      <td className={classes.name}>
        <span className={classes.nameLine}>
          <Go to={checkPath(check.name)} className={`${table.rowLink} truncate`} data-row>
            {check.name}
          </Go>
          <span className={classes.kind}>{check.kind}</span>
          <CheckFlags check={check} />
        </span>
      </td>
      {hasService && (
        <td className={classes.service}>
          {check.service && (
            <Go to={servicePath(check.service)} className={`${table.above} link bare`}>
              {check.service}
            </Go>
          )}
        </td>
      )}
      <td className={`${classes.message} dim`} data-tip={check.message && check.message.length > 30 ? check.message : undefined}>
        {check.message}
      </td>
      <td className={classes.recent}>
        <span className={table.above}>
          <UptimeBar results={check.recent} label={`Recent results of ${check.name}`} />
        </span>
      </td>
      <td className={classes.latency} data-align="right">
        <span className={classes.latencyLine}>
          <Sparkline values={measured(check.recent)} label={`Recent latency of ${check.name}, newest ${formatDuration(check.duration_s)}`} width={72} />
          <span className={classes.latencyValue}>{formatDuration(check.duration_s)}</span>
        </span>
      </td>
      <td className={classes.uptime} data-align="right" data-tip={coverageTip(check)}>
        {formatUptime(check.uptime.d1.ratio)}
      </td>
      <td className={`${classes.next} faint`} data-align="right">
        {check.paused ? "paused" : <Due at={check.next_at} />}
      </td>
    </tr>
  );
});

function CheckFlags({ check }: { check: CheckSummary }) {
  return (
    <span className={classes.flags}>
      {check.flapping && <Flag text="Flapping: its verdict changes too often to notify about" icon={<IconWaveSawTool size={14} />} />}
      {check.maintenance && <Flag text="In a maintenance window" icon={<IconTool size={14} />} />}
      {check.paused && <Flag text="Paused" icon={<IconPlayerPauseFilled size={13} />} />}
    </span>
  );
}

function Flag({ text, icon }: { text: string; icon: React.ReactNode }) {
  return (
    <span role="img" aria-label={text} data-tip={text} className={table.above}>
      {icon}
    </span>
  );
}

function coverageTip(check: CheckSummary): string {
  const { d1, d7, d30 } = check.uptime;
  const line = (label: string, share: typeof d1) => `${label}  ${formatUptime(share.ratio)}  (${Math.floor(share.coverage * 100)}% covered)`;
  return [line("24 h", d1), line("7 d", d7), line("30 d", d30)].join("\n");
}
