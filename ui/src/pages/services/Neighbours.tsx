// Who leans on this service, and on what it leans: one step to either side, joined by lines.
import { useQuery } from "@tanstack/react-query";
import { servicesQuery } from "@/api/queries";
import type { ServiceDetail, ServiceSummary, Verdict } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { Section } from "@/components/Page";
import { StatusIconLabelled } from "@/components/StatusMark";
import { severity } from "@/lib/status";
import classes from "./Neighbours.module.css";

const ROW = 34;

interface Node {
  name: string;
  title: string;
  health: Verdict;
}

export function Neighbours({ service }: { service: ServiceDetail }) {
  const known = new Map(useQuery(servicesQuery).data?.map((one) => [one.name, one]));
  const left = nodes(service.dependents, known);
  const right = nodes(service.depends_on, known);
  if (left.length + right.length === 0) return null;
  const rows = Math.max(left.length, right.length, 1);
  return (
    <Section
      title="Dependencies"
      aside={
        <Go to={`/map?service=${encodeURIComponent(service.name)}`} className="link bare">
          Show on the map
        </Go>
      }
    >
      <div className={classes.graph} style={{ height: rows * ROW }}>
        <Column label="Used by" nodes={left} rows={rows} />
        <Wires from={left} rows={rows} isLeft />
        <div className={classes.centre} data-health={service.health}>
          <StatusIconLabelled verdict={service.health} />
          <span className="truncate">{service.title ?? service.name}</span>
        </div>
        <Wires from={right} rows={rows} />
        <Column label="Depends on" nodes={right} rows={rows} />
      </div>
    </Section>
  );
}

function nodes(names: readonly string[], known: ReadonlyMap<string, ServiceSummary>): Node[] {
  return names
    .map((name) => ({ name, title: known.get(name)?.title ?? name, health: known.get(name)?.health ?? ("unknown" as const) }))
    .sort((a, b) => severity(a.health) - severity(b.health) || a.name.localeCompare(b.name));
}

function Column({ label, nodes: list, rows }: { label: string; nodes: readonly Node[]; rows: number }) {
  return (
    <ul className={classes.column} aria-label={label} style={{ paddingTop: ((rows - list.length) * ROW) / 2 }}>
      {list.map((node) => (
        <li key={node.name} style={{ height: ROW }}>
          <Go to={servicePath(node.name)} className={classes.node} data-row>
            <StatusIconLabelled verdict={node.health} />
            <span className="truncate">{node.title}</span>
          </Go>
        </li>
      ))}
      {list.length === 0 && <li className={classes.nobody}>{label === "Used by" ? "Nobody leans on it" : "Leans on nothing"}</li>}
    </ul>
  );
}

function Wires({ from, rows, isLeft = false }: { from: readonly Node[]; rows: number; isLeft?: boolean }) {
  const height = rows * ROW;
  const top = ((rows - from.length) * ROW) / 2;
  return (
    <svg className={classes.wires} viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden>
      {from.map((node, index) => {
        const y = top + (index + 0.5) * ROW;
        const [start, end] = isLeft ? [y, height / 2] : [height / 2, y];
        return <path key={node.name} d={`M0 ${start}C50 ${start} 50 ${end} 100 ${end}`} data-health={isLeft ? undefined : node.health} />;
      })}
    </svg>
  );
}
