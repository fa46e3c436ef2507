// All services and what they lean on. Trouble shows where it starts and whom it reaches.
import { BaseEdge, Background, Controls, type Edge, type EdgeProps, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useQuery } from "@tanstack/react-query";
import { IconHierarchy3 } from "@tabler/icons-react";
import { memo, useMemo, useState } from "react";
import { serviceGraphQuery } from "@/api/queries";
import type { ServiceGraph, Verdict } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { StatusIconLabelled } from "@/components/StatusMark";
import { plural } from "@/lib/format";
import { layers, type Place } from "@/lib/layers";
import { useUrlFilter } from "@/state/timerange";
import classes from "./ServiceMap.module.css";

const COLUMN_PX = 256;
const ROW_PX = 56;
const NODE_PX = { width: 176, height: 36 };

type ServiceNode = Node<{ title: string; health: Verdict; isDimmed: boolean; isChosen: boolean }, "service">;

export function ServiceMap() {
  const query = useQuery(serviceGraphQuery);
  return (
    <Page title="Map" name="Map" subtitle={query.data ? `${plural(query.data.nodes.length, "service")}; arrows point at what a service depends on.` : "\u00a0"}>
      <QueryView query={query} skeleton={<SkeletonBlock height={560} />}>
        {(graph) =>
          graph.nodes.length > 0 ? (
            <Graph graph={graph} />
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
      position: { x: column * COLUMN_PX, y: row * ROW_PX },
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
    <div className={classes.map}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        fitView
        fitViewOptions={{ padding: 0.12, minZoom: 0.6, maxZoom: 1.1 }}
        minZoom={0.25}
        maxZoom={1.6}
        nodesConnectable={false}
        nodesDraggable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
        onNodeMouseEnter={(_, node) => setPointed(node.id)}
        onNodeMouseLeave={() => setPointed(null)}
        aria-label="Map of services"
      >
        <Background gap={22} size={1} color="var(--line)" />
        <Controls showInteractive={false} position="bottom-right" />
      </ReactFlow>
    </div>
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
    <>
      <Handle type="target" position={Position.Left} className={classes.handle} />
      <Go to={servicePath(id)} className={`${classes.node} nodrag nopan`} data-row data-health={data.health} data-dimmed={data.isDimmed || undefined} data-chosen={data.isChosen || undefined}>
        <StatusIconLabelled verdict={data.health} />
        <span className="truncate">{data.title}</span>
      </Go>
      <Handle type="source" position={Position.Right} className={classes.handle} />
    </>
  );
});

/** Leads an arrow through its lane with soft bends: flat across the columns it skips, curved between them. */
function LedEdgePath({ sourceX, sourceY, targetX, targetY, data, style, markerEnd }: EdgeProps<LedEdge>) {
  const points: [number, number][] = [[sourceX, sourceY]];
  for (const { column, row } of data?.lane ?? []) {
    const y = row * ROW_PX + NODE_PX.height / 2;
    points.push([column * COLUMN_PX, y], [column * COLUMN_PX + NODE_PX.width, y]);
  }
  points.push([targetX, targetY]);
  const path = points.slice(1).reduce((text, [x, y], index) => {
    const [fromX, fromY] = points[index] ?? [0, 0];
    const bend = (x - fromX) / 2;
    return `${text}C${fromX + bend} ${fromY} ${x - bend} ${y} ${x} ${y}`;
  }, `M${sourceX} ${sourceY}`);
  return <BaseEdge path={path} style={style} markerEnd={markerEnd} />;
}

const NODE_TYPES = { service: ServiceBox };
const EDGE_TYPES = { led: LedEdgePath };
