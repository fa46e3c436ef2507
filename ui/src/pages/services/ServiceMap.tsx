// All services and what they lean on. Trouble shows where it starts and whom it reaches.
import { BaseEdge, type Edge, type EdgeProps, MarkerType, type Node, type NodeProps } from "@xyflow/react";
import { useQuery } from "@tanstack/react-query";
import { IconHierarchy3 } from "@tabler/icons-react";
import { memo, useMemo, useState } from "react";
import { serviceGraphQuery } from "@/api/queries";
import type { ServiceGraph, Verdict } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { GraphBox, LINE_BOX, LINE_BOX_PX } from "@/components/GraphBox";
import { GraphFrame } from "@/components/GraphFrame";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { StatusIconLabelled } from "@/components/StatusMark";
import { plural } from "@/lib/format";
import { bentPath, cornersOf, reachOf } from "@/lib/lanes";
import { layers, type Place } from "@/lib/layers";
import { useUrlFilter } from "@/state/timerange";
import { MapList } from "./MapList";
import classes from "./ServiceMap.module.css";

const SPACING = { columnPx: 256, rowPx: 56, box: LINE_BOX_PX };
const HEIGHT = "max(420px, calc(100dvh - 190px))";

type ServiceNode = Node<{ title: string; health: Verdict; isDimmed: boolean; isChosen: boolean }, "service">;

export function ServiceMap() {
  const query = useQuery(serviceGraphQuery);
  return (
    <Page title="Map" name="Map" subtitle={query.data ? `${plural(query.data.nodes.length, "service")}; arrows point at what a service depends on.` : "\u00a0"}>
      <QueryView query={query} skeleton={<SkeletonBlock height={560} />}>
        {(graph) =>
          graph.nodes.length > 0 ? (
            <>
              <Graph graph={graph} />
              <MapList graph={graph} />
            </>
          ) : (
            <Empty title="Nothing to draw yet" icon={<IconHierarchy3 size={32} stroke={1.4} />} snippet={"spec:\n  dependsOn:\n    - component:payments\n    - resource:postgres"}>
              Services appear here as soon as <code>ops/services</code> describes them; <code>dependsOn</code> draws the lines.
            </Empty>
          )
        }
      </QueryView>
    </Page>
  );
}

function Graph({ graph }: { graph: ServiceGraph }) {
  const [chosen] = useUrlFilter("service");
  const [pointed, setPointed] = useState<string | null>(null);
  const focus = pointed ?? (chosen || null);
  const layout = useMemo(() => layers(graph.nodes.map((node) => node.name), graph.edges), [graph]);
  const near = useMemo(() => {
    if (!focus) return null;
    return new Set([focus, ...graph.edges.flatMap(({ from, to }) => (from === focus ? [to] : to === focus ? [from] : []))]);
  }, [focus, graph]);
  const nodes = graph.nodes.map((node): ServiceNode => {
    const { column, row } = layout.places.get(node.name) ?? { column: 0, row: 0 };
    return {
      id: node.name,
      type: "service",
      position: { x: column * SPACING.columnPx, y: row * SPACING.rowPx },
      draggable: false,
      focusable: false,
      data: {
        title: node.title,
        health: node.health,
        isDimmed: near !== null && !near.has(node.name),
        isChosen: node.name === focus,
      },
    };
  });
  const healthOf = new Map(graph.nodes.map((node) => [node.name, node.health]));
  const edges = graph.edges.map(({ from, to }) => edgeOf(from, to, healthOf.get(to) ?? "unknown", focus, layout.lanes.get(`${from}>${to}`) ?? []));
  return (
    <GraphFrame
      label="Map of services"
      height={HEIGHT}
      nodes={nodes}
      edges={edges}
      reach={reachOf(layout.lanes.values(), SPACING)}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodeMouseEnter={(_, node) => setPointed(node.id)}
      onNodeMouseLeave={() => setPointed(null)}
    />
  );
}

type LedEdge = Edge<{ lane: readonly Place[] }, "led">;

function edgeOf(from: string, to: string, health: Verdict, focus: string | null, lane: readonly Place[]): LedEdge {
  const isBad = health === "down" || health === "degraded";
  const color = isBad ? `var(--${health}-fill)` : "var(--line-strong)";
  const isFar = focus !== null && from !== focus && to !== focus;
  return {
    id: `${from}>${to}`,
    type: "led",
    data: { lane },
    source: from,
    target: to,
    style: { stroke: color, strokeWidth: isBad ? 1.75 : 1.25, opacity: isFar ? 0.15 : 1 },
    markerEnd: { type: MarkerType.ArrowClosed, color, width: 14, height: 14 },
  };
}

const ServiceBox = memo(function ServiceBox({ id, data }: NodeProps<ServiceNode>) {
  return (
    <GraphBox>
      <Go to={servicePath(id)} className={`${LINE_BOX} ${classes.node}`} data-row data-health={data.health} data-dimmed={data.isDimmed || undefined} data-chosen={data.isChosen || undefined} data-tip={data.title}>
        <StatusIconLabelled verdict={data.health} />
        <span className="truncate">{data.title}</span>
      </Go>
    </GraphBox>
  );
});

function LedEdgePath({ sourceX, sourceY, targetX, targetY, data, style, markerEnd }: EdgeProps<LedEdge>) {
  const corners = cornersOf([sourceX, sourceY], [targetX, targetY], data?.lane ?? [], SPACING);
  return <BaseEdge path={bentPath(corners)} style={style} markerEnd={markerEnd} />;
}

const NODE_TYPES = { service: ServiceBox };
const EDGE_TYPES = { led: LedEdgePath };
