// The map in words: each service, what it depends on and who uses it, trouble first. On a phone and to ears the map is this.
import type { ServiceGraph } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { Section } from "@/components/Page";
import { StatusMark } from "@/components/StatusMark";
import { plural } from "@/lib/format";
import { groupBy } from "@/lib/group";
import classes from "./ServiceMap.module.css";

const URGENCY = ["down", "degraded", "unknown", "up"];

export function MapList({ graph }: { graph: ServiceGraph }) {
  const leansOn = groupBy(graph.edges, ({ from }) => from);
  const usedBy = groupBy(graph.edges, ({ to }) => to);
  const titles = new Map(graph.nodes.map(({ name, title }) => [name, title]));
  const nodes = [...graph.nodes].sort((a, b) => URGENCY.indexOf(a.health) - URGENCY.indexOf(b.health) || a.title.localeCompare(b.title));
  return (
    <Section title="The same in words" aside={`${plural(graph.edges.length, "dependency", "dependencies")}`}>
      <ul className={classes.list}>
        {nodes.map(({ name, title, health }) => (
          <li key={name}>
            <Go to={servicePath(name)} className={classes.listed}>
              {title}
            </Go>
            <StatusMark verdict={health} />
            <span className={classes.leans}>
              <Names word="depends on" names={(leansOn.get(name) ?? []).map(({ to }) => titles.get(to) ?? to)} />
              <Names word="used by" names={(usedBy.get(name) ?? []).map(({ from }) => titles.get(from) ?? from)} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Names({ word, names }: { word: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <span>
      <span className="faint">{word}</span> {[...names].sort().join(", ")}
    </span>
  );
}
