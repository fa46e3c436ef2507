// The map as a picture: services left of what they call, an arrow per edge in the colour of its state with its figures.
// A press on an arrow or its label opens it; places stay as they are until a node or an edge comes or goes.
import { Background, BaseEdge, Controls, type Edge, EdgeLabelRenderer, type EdgeProps, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { IconBox, IconDatabase, IconMessages, IconWorld } from "@tabler/icons-react";
import { memo, useMemo, useState } from "react";
import type { MapEdge, MapNode, TraceMap } from "@/api/types";
import { Go } from "@/components/Go";
import { StatusIcon } from "@/components/StatusMark";
import { formatDuration, formatPercent, formatRate, plural } from "@/lib/format";
import { layers, type Place } from "@/lib/layers";
import { CHANGE_WORD, edgeId, endsOf, nodeId, shapeOf, shareFailed, STATE_VERDICT, STATE_WORD } from "@/lib/traces/map";
import { searchPath } from "@/lib/traces/search";
import classes from "./CallMap.module.css";

const COLUMN_PX = 304;
const ROW_PX = 76;
const NODE_PX = { width: 176, height: 36 };
const ICONS = { service: IconBox, database: IconDatabase, messaging: IconMessages, external: IconWorld } as const;
const INK = { failing: "var(--down-fill)", worse: "var(--degraded-fill)", fine: "var(--line-strong)", gone: "var(--unknown-fill)" } as const;

type CallNode = Node<{ node: MapNode; isDimmed: boolean }, "call">;
type CallEdge = Edge<{ edge: MapEdge; seconds: number; lane: readonly Place[]; isDimmed: boolean; isChosen: boolean; onChoose: (edge: string) => void }, "call">;

interface PictureProps {
  map: TraceMap;
  chosen: string;
  onChoose: (edge: string) => void;
}

export function Picture({ map, chosen, onChoose }: PictureProps) {
  const [pointed, setPointed] = useState("");
  const shape = shapeOf(map);
  const layout = useMemo(() => layers(shape.names, shape.edges), [shape.key]); // eslint-disable-line react-hooks/exhaustive-deps -- the key says it all
  const near = pointed ? new Set([pointed, ...shape.edges.flatMap(({ from, to }) => (from === pointed ? [to] : to === pointed ? [from] : []))]) : null;
  const nodes = map.nodes.map((node): CallNode => {
    const id = nodeId(node);
    const { column, row } = layout.places.get(id) ?? { column: 0, row: 0 };
    return { id, type: "call", position: { x: column * COLUMN_PX, y: row * ROW_PX }, draggable: false, focusable: false, data: { node, isDimmed: near !== null && !near.has(id) } };
  });
  const edges = map.edges.map((edge): CallEdge => {
    const [source, target] = endsOf(edge);
    const id = edgeId(edge);
    const isDimmed = pointed !== "" && source !== pointed && target !== pointed;
    const color = INK[edge.state];
    return {
      id,
      type: "call",
      source,
      target,
      data: { edge, seconds: map.seconds, lane: layout.lanes.get(id) ?? [], isDimmed, isChosen: id === chosen, onChoose },
      style: { stroke: id === chosen ? "var(--accent)" : color, strokeWidth: widthOf(edge, map) + (id === chosen ? 1 : 0), opacity: isDimmed ? 0.15 : 1, ...(edge.state === "gone" ? { strokeDasharray: "5 4" } : {}) },
      markerEnd: { type: MarkerType.ArrowClosed, color: id === chosen ? "var(--accent)" : color, width: 14, height: 14, markerUnits: "userSpaceOnUse" },
    };
  });
  return (
    <div className={classes.map}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        fitView
        fitViewOptions={{ padding: 0.1, minZoom: 0.5, maxZoom: 1.1 }}
        minZoom={0.2}
        maxZoom={1.6}
        nodesConnectable={false}
        nodesDraggable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
        onNodeMouseEnter={(_, node) => setPointed(node.id)}
        onNodeMouseLeave={() => setPointed("")}
        onEdgeClick={(_, edge) => onChoose(edge.id)}
        aria-label={`Map of calls: ${plural(map.nodes.length, "node")}, ${plural(map.edges.length, "connection")}; the table below says the same`}
      >
        <Background gap={22} size={1} color="var(--line)" />
        <Controls showInteractive={false} position="bottom-right" />
      </ReactFlow>
    </div>
  );
}

/** A stroke is as wide as an edge is busy, by powers of ten. */
function widthOf(edge: MapEdge, map: TraceMap): number {
  const most = Math.max(...map.edges.map((one) => one.rates.calls), 10);
  return 1.25 + (1.75 * Math.log10(Math.max(edge.rates.calls, 1))) / Math.log10(most);
}

const CallBox = memo(function CallBox({ data: { node, isDimmed } }: NodeProps<CallNode>) {
  const Icon = ICONS[node.type];
  const inside = (
    <>
      <Icon size={15} stroke={1.7} aria-label={node.type} className={classes.icon} />
      <span className="truncate">{node.name}</span>
    </>
  );
  return (
    <>
      <Handle type="target" position={Position.Left} className={classes.handle} />
      {node.type === "service" ? (
        <Go to={searchPath({ service: node.name })} className={`${classes.node} nodrag nopan`} data-type={node.type} data-dimmed={isDimmed || undefined} data-tip={`Traces of ${node.name}`}>{inside}</Go>
      ) : (
        <span className={classes.node} data-type={node.type} data-dimmed={isDimmed || undefined} data-tip={`${node.type}: ${node.name}`}>{inside}</span>
      )}
      <Handle type="source" position={Position.Right} className={classes.handle} />
    </>
  );
});

/** Leads an arrow through its lane with soft bends, and gives it a label that can be pressed. */
function CallPath({ sourceX, sourceY, targetX, targetY, data, style, markerEnd }: EdgeProps<CallEdge>) {
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
  const [nextX, nextY] = points[1] ?? [targetX, targetY];
  // At its last third an arrow is away from those that leave with it.
  return (
    <>
      <BaseEdge path={path} style={style} markerEnd={markerEnd} interactionWidth={14} />
      {data && (
        <EdgeLabelRenderer>
          <EdgeLabel data={data} x={sourceX + (nextX - sourceX) * 0.56} y={sourceY + (nextY - sourceY) * 0.62} />
        </EdgeLabelRenderer>
      )}
    </>
  );
}

function EdgeLabel({ data: { edge, seconds, isDimmed, isChosen, onChoose }, x, y }: { data: NonNullable<CallEdge["data"]>; x: number; y: number }) {
  const failed = shareFailed(edge.rates);
  const figures = edge.state === "gone" ? STATE_WORD.gone : `${formatRate(edge.rates.calls / Math.max(seconds, 1))}/s${failed > 0 ? ` ${formatPercent(failed)}` : ""}`;
  const tip = [STATE_WORD[edge.state], ...edge.changes.map((change) => CHANGE_WORD[change]), `p95 ${formatDuration(edge.rates.p95_ms === null ? null : edge.rates.p95_ms / 1000)}`].join(", ");
  return (
    <button
      type="button"
      tabIndex={-1}
      className={`${classes.label} nodrag nopan`}
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
      data-state={edge.state}
      data-dimmed={isDimmed || undefined}
      data-chosen={isChosen || undefined}
      data-tip={`${edge.source} to ${edge.target}: ${tip}`}
      onClick={() => onChoose(edgeId(edge))}
    >
      {edge.state !== "fine" && <StatusIcon verdict={STATE_VERDICT[edge.state]} size={12} />}
      {edge.changes.includes("new") && <b>new</b>}
      {figures}
    </button>
  );
}

const NODE_TYPES = { call: CallBox };
const EDGE_TYPES = { call: CallPath };
