// The map as a picture: services left of what they call, an arrow per edge in the colour of its state with its figures.
// A press on an arrow or its label opens it; places stay as they are until a node or an edge comes or goes.
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, MarkerType, type Node, type NodeProps } from "@xyflow/react";
import { IconBox, IconDatabase, IconMessages, IconWorld } from "@tabler/icons-react";
import { memo, useMemo, useState } from "react";
import type { MapEdge, MapNode, TraceMap } from "@/api/types";
import { Go } from "@/components/Go";
import { GraphBox, LINE_BOX, LINE_BOX_PX } from "@/components/GraphBox";
import { GraphFrame } from "@/components/GraphFrame";
import { StatusIcon } from "@/components/StatusMark";
import { formatDuration, formatPercent, formatRate, plural } from "@/lib/format";
import { bentPath, cornersOf, reachOf } from "@/lib/lanes";
import { layers, type Place } from "@/lib/layers";
import { CHANGE_WORD, edgeId, endsOf, nodeId, shapeOf, shareFailed, STATE_VERDICT, STATE_WORD } from "@/lib/traces/map";
import { searchPath } from "@/lib/traces/search";
import classes from "./CallMap.module.css";

const SPACING = { columnPx: 304, rowPx: 76, box: LINE_BOX_PX };
const HEIGHT = "clamp(320px, 52dvh, 640px)";
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
    return { id, type: "call", position: { x: column * SPACING.columnPx, y: row * SPACING.rowPx }, draggable: false, focusable: false, data: { node, isDimmed: near !== null && !near.has(id) } };
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
    <GraphFrame
      label={`Map of calls: ${plural(map.nodes.length, "node")}, ${plural(map.edges.length, "connection")}; the table below says the same`}
      height={HEIGHT}
      nodes={nodes}
      edges={edges}
      reach={reachOf(layout.lanes.values(), SPACING)}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodeMouseEnter={(_, node) => setPointed(node.id)}
      onNodeMouseLeave={() => setPointed("")}
      onEdgeClick={(_, edge) => onChoose(edge.id)}
    />
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
  const look = `${LINE_BOX} ${classes.node}`;
  return (
    <GraphBox>
      {node.type === "service" ? (
        <Go to={searchPath({ service: node.name })} className={look} data-type={node.type} data-dimmed={isDimmed || undefined} data-tip={`Traces of ${node.name}`}>{inside}</Go>
      ) : (
        <span className={look} data-type={node.type} data-dimmed={isDimmed || undefined} data-tip={`${node.type}: ${node.name}`}>{inside}</span>
      )}
    </GraphBox>
  );
});

/** An arrow with a label that can be pressed. */
function CallPath({ sourceX, sourceY, targetX, targetY, data, style, markerEnd }: EdgeProps<CallEdge>) {
  const corners = cornersOf([sourceX, sourceY], [targetX, targetY], data?.lane ?? [], SPACING);
  const [nextX, nextY] = corners[1] ?? [targetX, targetY];
  // At its last third an arrow is away from those that leave with it.
  return (
    <>
      <BaseEdge path={bentPath(corners)} style={style} markerEnd={markerEnd} interactionWidth={14} />
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
