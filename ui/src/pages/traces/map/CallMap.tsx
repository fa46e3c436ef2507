// Who calls whom, from spans: HTTP, RPC, buses, databases, with calls, errors and durations on every edge, and what has
// changed since a week before: of all of them, or around one. The table below says the same as the picture.
import { Button, Select } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { traceMapQuery } from "@/api/findingQueries";
import type { MapEdge, TraceMap } from "@/api/types";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { formatAbsolute } from "@/lib/time";
import { plural } from "@/lib/format";
import { edgeId, endsOf, neighbourhood, nodeId, nodeName } from "@/lib/traces/map";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { Spanless } from "../Spanless";
import { TracesTabs } from "../TracesTabs";
import classes from "./CallMap.module.css";
import { EdgeDrawer } from "./EdgeDrawer";
import { EdgeTable } from "./EdgeTable";
import { Picture } from "./Picture";

/** A picture of more connections than these cannot be read at such a width. */
const LEGIBLE = { wide: 150, narrow: 20 };

const AGAINST = [
  { value: "1d", label: "Against a day before" },
  { value: "7d", label: "Against a week before" },
  { value: "28d", label: "Against four weeks before" },
];

export function CallMap() {
  const { range } = useTimeRange();
  const [againstText, setAgainst] = useUrlFilter("against");
  const against = AGAINST.some(({ value }) => value === againstText) ? againstText : "7d";
  const query = useQuery(traceMapQuery(range, against));
  return (
    <Page
      title="Map of calls"
      name="Map of calls"
      subtitle={query.data ? summary(query.data) : "\u00a0"}
      actions={<Select aria-label="Compared with" className={classes.against} data={AGAINST} value={against} onChange={(value) => setAgainst(value === "7d" ? "" : (value ?? ""))} allowDeselect={false} />}
    >
      <TracesTabs />
      <Spanless>{() => <QueryView query={query} skeleton={<SkeletonBlock height={480} />}>{(map) => <Drawn map={map} />}</QueryView>}</Spanless>
    </Page>
  );
}

function Drawn({ map }: { map: TraceMap }) {
  const [chosen, choose] = useUrlFilter("edge");
  const [of, setOf] = useUrlFilter("of");
  const edge = map.edges.find((one) => edgeId(one) === chosen) ?? null;
  if (map.nodes.length === 0) return <Empty title="Nobody calls anybody in this time">Choose a longer time range at the top right.</Empty>;
  if (map.edges.length === 0)
    return (
      <Empty title={`${plural(map.nodes.length, "service")}, and no calls between them`} snippet={"from opentelemetry.propagate import inject\n\nheaders = {}\ninject(headers)  # carries the trace to whom you call\nhttpx.get(url, headers=headers)"}>
        An edge needs both ends in one trace: the caller hands its trace context on, the called one continues it. OpenTelemetry&apos;s instrumentations of HTTP clients, gRPC and buses do it by themselves.
      </Empty>
    );
  const shown = of ? neighbourhood(map, of) : map;
  return (
    <>
      <NodeSelect map={map} value={of} onChange={setOf} />
      <Seen map={shown} chosen={chosen} onChoose={choose} onFocus={setOf} of={of} />
      <EdgeDrawer map={map} edge={edge} onClose={() => choose("")} />
    </>
  );
}

interface SeenProps {
  map: TraceMap;
  /** The node around which the map is; "" for all of it. */
  of: string;
  chosen: string;
  onChoose: (edge: string) => void;
  onFocus: (node: string) => void;
}

function Seen({ map, of, chosen, onChoose, onFocus }: SeenProps) {
  const isNarrow = useMediaQuery("(max-width: 760px)", matchMedia("(max-width: 760px)").matches);
  const [isWanted, setWanted] = useState(false);
  const isPicture = isWanted || map.edges.length <= (isNarrow ? LEGIBLE.narrow : LEGIBLE.wide);
  const parts: [title: string, edges: MapEdge[]][] = of
    ? [
        [`Who calls ${nodeName(of)}`, map.edges.filter((edge) => endsOf(edge)[1] === of)],
        [`Whom ${nodeName(of)} calls`, map.edges.filter((edge) => endsOf(edge)[0] === of)],
      ]
    : [[plural(map.edges.length, "connection"), map.edges]];
  if (of && map.edges.length === 0)
    return (
      <Empty title={`Nobody calls ${nodeName(of)} in this time, and it calls nobody`}>
        <Button variant="default" onClick={() => onFocus("")}>
          Show all
        </Button>
      </Empty>
    );
  return (
    <>
      {isPicture ? (
        <Picture map={map} chosen={chosen} onChoose={onChoose} />
      ) : (
        <p className={classes.crowded}>
          A picture of {plural(map.edges.length, "connection")} has no room here. {of ? "" : "Choose one node above to see whom it calls and who calls it. "}
          <Button variant="default" size="compact-xs" onClick={() => setWanted(true)}>
            Draw it all the same
          </Button>
        </p>
      )}
      {parts
        .filter(([, edges]) => edges.length > 0)
        .map(([title, edges], at) => (
          <Section key={title} title={title} aside={at === 0 && <span className="faint">{compared(map)}</span>}>
            <EdgeTable edges={edges} seconds={map.seconds} chosen={chosen} onChoose={onChoose} />
          </Section>
        ))}
    </>
  );
}

/** Narrows the map to one node and its neighbours. */
function NodeSelect({ map, value, onChange }: { map: TraceMap; value: string; onChange: (node: string) => void }) {
  const nodes = map.nodes.map((node) => ({ value: nodeId(node), label: node.type === "messaging" ? `topic ${node.name}` : node.name })).sort((a, b) => a.label.localeCompare(b.label));
  const isKnown = value === "" || nodes.some((node) => node.value === value);
  const data = isKnown ? nodes : [...nodes, { value, label: nodeName(value) }];
  return <Select aria-label="Around" placeholder="Around one service, database or topic" className={classes.around} data={data} value={value || null} onChange={(node) => onChange(node ?? "")} searchable clearable />;
}

function compared(map: TraceMap): string {
  if (!map.before_at) return "";
  return map.is_compared ? `compared with the same time from ${formatAbsolute(new Date(map.before_at))}` : "nothing to compare with: no spans are left of that earlier time";
}

function summary(map: TraceMap): string {
  if (map.nodes.length === 0) return "\u00a0";
  const count = (holds: (edge: MapEdge) => boolean): number => map.edges.filter(holds).length;
  const parts = [
    [count((edge) => edge.state === "failing"), "failing"],
    [count((edge) => edge.state === "worse"), "worse than before"],
    [count((edge) => edge.changes.includes("new")), "new"],
    [count((edge) => edge.state === "gone"), "gone"],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  const share = map.share < 1 ? `; counted from one of ${Math.round(1 / map.share)} traces` : "";
  return `${plural(map.edges.length, "connection")} between ${plural(map.nodes.length, "node")}${told.length > 0 ? `: ${told.join(", ")}` : ""}${share}.`;
}
