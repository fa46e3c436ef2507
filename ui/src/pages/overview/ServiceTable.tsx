// All services, problems first, each with the reason when it is not well.
import { memo, useMemo, useRef } from "react";
import type { CheckSummary, ServiceSummary } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { Sparkline } from "@/components/Sparkline";
import { StatusMark } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { UptimeBar } from "@/components/UptimeBar";
import { Age } from "@/components/When";
import { formatDuration, formatUptime } from "@/lib/format";
import { byService, leadCheck, sortServices } from "@/lib/services";
import { measured } from "@/lib/spark";
import { entityName, tierText } from "@/lib/text";
import { useGlide, useGlow, useSettledOrder } from "@/state/motion";
import classes from "./ServiceTable.module.css";

export function ServiceTable({ services, checks }: { services: readonly ServiceSummary[]; checks: readonly CheckSummary[] }) {
  const area = useRef<HTMLTableSectionElement>(null);
  const sorted = useMemo(() => sortServices(services), [services]);
  const grouped = useMemo(() => byService(checks), [checks]);
  const shown = useSettledOrder(sorted, (service) => service.name, area);
  useGlide(area, shown.map((service) => service.name).join());
  return (
    <table className={`${table.table} ${classes.services}`}>
      <thead>
        <tr>
          <th className={classes.status}>Status</th>
          <th className={classes.name}>Service</th>
          <th className={classes.owner}>Owner</th>
          <th className={classes.tier}>Tier</th>
          <th className={classes.recent}>Recent</th>
          <th className={classes.latency} data-align="right">
            Latency
          </th>
          <th className={classes.uptime} data-align="right">
            24 h
          </th>
          <th className={classes.uptime30} data-align="right">
            30 d
          </th>
        </tr>
      </thead>
      <tbody ref={area}>
        {shown.map((service) => (
          <ServiceRow key={service.name} service={service} lead={leadCheck(grouped.get(service.name) ?? NO_CHECKS)} />
        ))}
      </tbody>
    </table>
  );
}

const NO_CHECKS: readonly CheckSummary[] = [];

const ServiceRow = memo(function ServiceRow({ service, lead }: { service: ServiceSummary; lead: CheckSummary | null }) {
  const ref = useGlow<HTMLTableRowElement>(service.health);
  const reason = service.health === "up" ? null : (service.reasons[0] ?? null);
  const more = service.reasons.length - 1;
  return (
    <tr ref={ref} data-key={service.name} data-health={service.health}>
      <td className={classes.status}>
        <StatusMark verdict={service.health} />
        {service.health !== "up" && service.health_since && (
          <span className={classes.age}>
            <Age since={service.health_since} />
          </span>
        )}
      </td>
      <td className={classes.name}>
        <div className="truncate">
          <Go to={servicePath(service.name)} className={table.rowLink} data-row>
            {service.title ?? service.name}
          </Go>
          {service.title && service.title !== service.name && <span className={classes.technical}>{service.name}</span>}
          <span className={classes.meta}>{[service.owner && entityName(service.owner), tierText(service.tier)].filter(Boolean).join(", ")}</span>
        </div>
        {reason && (
          <div className={classes.reason} data-tip={service.reasons.map((one) => `${one.check ?? one.service ?? ""}: ${one.message ?? one.verdict}`).join("\n")}>
            {reason.check ? `${reason.check}: ` : ""}
            {reason.message ?? reason.verdict}
            {more > 0 && <span className="faint"> and {more} more</span>}
          </div>
        )}
      </td>
      <td className={`${classes.owner} dim`}>{service.owner ? entityName(service.owner) : <span className="faint">nobody</span>}</td>
      <td className={`${classes.tier} faint`}>{tierText(service.tier)}</td>
      <td className={classes.recent}>
        <span className={table.above}>
          <UptimeBar results={service.recent} label={`Recent health of ${service.name}`} />
        </span>
      </td>
      <td className={classes.latency} data-align="right" data-tip={lead ? `Latency of ${lead.name}` : undefined}>
        {lead && (
          <span className={classes.latencyLine}>
            <Sparkline values={measured(lead.recent)} label={`Recent latency of ${lead.name}`} width={64} />
            <span className={classes.latencyValue}>{formatDuration(lead.duration_s)}</span>
          </span>
        )}
      </td>
      <td className={classes.uptime} data-align="right">
        {formatUptime(service.uptime.d1.ratio)}
      </td>
      <td className={`${classes.uptime30} dim`} data-align="right">
        {formatUptime(service.uptime.d30.ratio)}
      </td>
    </tr>
  );
});
