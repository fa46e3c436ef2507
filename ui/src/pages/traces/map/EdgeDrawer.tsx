// One edge of the map: its figures now and before, what changed, and its traces.
import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { servicesQuery } from "@/api/queries";
import type { MapEdge, Rates, TraceMap } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import table from "@/components/table.module.css";
import { formatCount, formatDuration, formatNumber, formatPercent } from "@/lib/format";
import { CHANGE_WORD, edgeSearch, endsOf, mapPath, nodeName, shareFailed } from "@/lib/traces/map";
import classes from "./CallMap.module.css";
import { StateMark } from "./StateMark";

export function EdgeDrawer({ map, edge, onClose }: { map: TraceMap; edge: MapEdge | null; onClose: () => void }) {
  return (
    <Drawer opened={edge !== null} onClose={onClose} position="right" size={460} title={edge ? `${edge.source} → ${edge.target}` : ""} closeButtonProps={{ "aria-label": "Close" }}>
      {edge && <Detail map={map} edge={edge} />}
    </Drawer>
  );
}

type Figure = [label: string, read: (rates: Rates) => string];

function Detail({ map, edge }: { map: TraceMap; edge: MapEdge }) {
  const known = useQuery(servicesQuery).data ?? [];
  const figures: Figure[] = [
    ["Calls a second", (rates) => formatNumber(rates.calls / Math.max(map.seconds, 1))],
    ["Calls", (rates) => formatCount(Math.round(rates.calls))],
    ["Failed", (rates) => `${formatPercent(shareFailed(rates))} (${formatCount(Math.round(rates.errors))})`],
    ["p50", (rates) => ms(rates.p50_ms)],
    ["p95", (rates) => ms(rates.p95_ms)],
    ["p99", (rates) => ms(rates.p99_ms)],
  ];
  const services = endsOf(edge).filter((end) => end.startsWith("service:")).map((end) => end.slice("service:".length));
  return (
    <div className={classes.drawer}>
      <p className="row wrap">
        <StateMark state={edge.state} />
        {edge.protocol && <span className="dim">{edge.protocol}</span>}
        {edge.changes.length > 0 && <span>{edge.changes.map((change) => CHANGE_WORD[change]).join(", ")}</span>}
      </p>
      <table className={`${table.table} ${classes.figures}`}>
        <thead>
          <tr>
            <th />
            <th data-align="right">Now</th>
            {map.is_compared && <th data-align="right">Before</th>}
          </tr>
        </thead>
        <tbody>
          {figures.map(([label, read]) => (
            <tr key={label}>
              <td className="dim">{label}</td>
              <td data-align="right" className="tabular">{edge.state === "gone" ? "–" : read(edge.rates)}</td>
              {map.is_compared && <td data-align="right" className="tabular">{edge.before ? read(edge.before) : "–"}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {!map.is_compared && map.before_at && <p className="faint">No spans are left of the earlier time, so nothing is compared.</p>}
      <p className={classes.ways}>
        <Go to={edgeSearch(edge)} className="link">Its traces</Go>
        <Go to={edgeSearch(edge, { status: "error" })} className="link">Failed ones</Go>
        <Go to={edgeSearch(edge, { status: "error" }).replace("/traces?", "/traces/compare?")} className="link">Compare failed with good</Go>
        {services.filter((name) => known.some((one) => one.name === name)).map((name) => (
          <Go key={name} to={servicePath(name)} className="link">Service {name}</Go>
        ))}
        {endsOf(edge).map((end) => (
          <Go key={end} to={mapPath(end)} className="link">Map around {nodeName(end)}</Go>
        ))}
      </p>
    </div>
  );
}

const ms = (value: number | null): string => formatDuration(value === null ? null : value / 1000);
