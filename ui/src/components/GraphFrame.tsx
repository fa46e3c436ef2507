// The frame of every graph of boxes and arrows: all of it in sight at first and until somebody moves it, then moved by
// dragging, pinching, buttons or keys (arrows, +, -, 0). What the boxes and arrows look like is their page's.
import { Background, Controls, type Edge, type Node, ReactFlow, type ReactFlowInstance, type ReactFlowProps, type Viewport } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { type CSSProperties, type FocusEvent, type KeyboardEvent, useEffect, useMemo, useRef } from "react";
import classes from "./GraphFrame.module.css";

const PAN_PX = 60;
const ZOOM = { min: 0.1, max: 1.6 };
/** The buttons lie at the bottom: nothing stands behind them. */
const FIT = { padding: { top: "20px", left: "20px", right: "20px", bottom: "52px" }, minZoom: ZOOM.min, maxZoom: 1.1 } as const;
const STEPS: Readonly<Record<string, readonly [x: number, y: number]>> = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

type FlowProps<N extends Node, E extends Edge> = Pick<ReactFlowProps<N, E>, "nodeTypes" | "edgeTypes" | "onNodeMouseEnter" | "onNodeMouseLeave" | "onEdgeClick">;

interface GraphFrameProps<N extends Node, E extends Edge> extends FlowProps<N, E> {
  /** What the graph shows, for those who cannot see it. */
  label: string;
  /** A CSS length. */
  height: CSSProperties["height"];
  nodes: N[];
  edges: E[];
  /** How far up and down arrows are led, beyond the boxes. */
  reach?: readonly [top: number, bottom: number] | null;
}

export function GraphFrame<N extends Node, E extends Edge>({ label, height, nodes: boxes, edges, reach = null, nodeTypes, ...flow }: GraphFrameProps<N, E>) {
  const nodes = useMemo(() => [...boxes, ...endsOf(boxes, reach)] as N[], [boxes, reach]);
  const types = useMemo(() => ({ ...nodeTypes, reach: Nothing }), [nodeTypes]);
  const frame = useRef<HTMLDivElement>(null);
  const sight = useSightOfAll<N, E>(frame, nodes);
  return (
    <div ref={frame} className={classes.frame} style={{ height, "--graph-aspect": aspectOf(nodes) } as CSSProperties} onFocus={sight.onFocus}>
      <ReactFlow<N, E>
        {...flow}
        nodes={nodes}
        nodeTypes={types}
        edges={edges}
        fitView
        fitViewOptions={FIT}
        minZoom={ZOOM.min}
        maxZoom={ZOOM.max}
        nodesConnectable={false}
        nodesDraggable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
        onInit={sight.onInit}
        onMove={sight.onMove}
        onKeyDown={sight.onKeyDown}
        tabIndex={0}
        aria-label={label}
        aria-keyshortcuts="ArrowLeft ArrowRight ArrowUp ArrowDown + - 0"
      >
        <Background gap={22} size={1} color="var(--line)" />
        <Controls showInteractive={false} position="bottom-right" orientation="horizontal" fitViewOptions={FIT} onFitView={sight.onFit} onZoomIn={sight.onTouch} onZoomOut={sight.onTouch} />
      </ReactFlow>
    </div>
  );
}

/** Boxes without a size at the ends of the arrows' reach: all of a graph that is in sight is measured by its boxes. */
function endsOf(boxes: readonly Node[], reach: readonly [top: number, bottom: number] | null): Node[] {
  const [first] = boxes;
  if (!reach || !first) return [];
  return reach.map((y, at) => ({ id: `reach/${at}`, type: "reach", position: { x: first.position.x, y }, data: {}, draggable: false, focusable: false, selectable: false, style: { width: 1, height: 1, pointerEvents: "none" }, domAttributes: { "aria-hidden": true } }));
}

function Nothing() {
  return null;
}

/** How high a graph is for its width, roughly: boxes are not measured yet. */
function aspectOf(nodes: readonly Node[]): number {
  const extent = (values: number[]): number => Math.max(...values) - Math.min(...values);
  return (extent(nodes.map(({ position }) => position.y)) + 48) / (extent(nodes.map(({ position }) => position.x)) + 176);
}

/** Keeps all of the graph in sight while the frame or the boxes change, until somebody has moved it. */
function useSightOfAll<N extends Node, E extends Edge>(frame: React.RefObject<HTMLDivElement | null>, nodes: readonly N[]) {
  const flow = useRef<ReactFlowInstance<N, E> | null>(null);
  const isTouched = useRef(false);
  const shape = nodes.map(({ id, position }) => `${id}@${position.x},${position.y}`).join();
  const fit = (): void => {
    if (!isTouched.current) void flow.current?.fitView(FIT);
  };
  useEffect(() => {
    // The boxes that have just come are measured first.
    const soon = requestAnimationFrame(fit);
    return () => cancelAnimationFrame(soon);
  }, [shape]);
  useEffect(() => {
    const observer = new ResizeObserver(fit);
    if (frame.current) observer.observe(frame.current);
    return () => observer.disconnect();
  }, [frame]);
  const tellZoom = ({ zoom }: Viewport): void => frame.current?.style.setProperty("--graph-zoom", String(zoom));
  return {
    onInit: (instance: ReactFlowInstance<N, E>): void => {
      flow.current = instance;
      tellZoom(instance.getViewport());
    },
    onMove: (event: MouseEvent | TouchEvent | null, viewport: Viewport): void => {
      if (event) isTouched.current = true;
      tellZoom(viewport);
    },
    onTouch: (): void => void (isTouched.current = true),
    onFit: (): void => void (isTouched.current = false),
    onFocus: (event: FocusEvent): void => bringIntoSight(event, flow.current),
    onKeyDown: (event: KeyboardEvent): void => {
      if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey || !flow.current) return;
      if (!move(flow.current, event.key)) return;
      isTouched.current = event.key !== "0";
      event.preventDefault();
    },
  };
}

/** Moves the graph as a key says; false where the key says nothing here. */
function move<N extends Node, E extends Edge>(flow: ReactFlowInstance<N, E>, key: string): boolean {
  const step = STEPS[key];
  if (step) {
    const { x, y, zoom } = flow.getViewport();
    void flow.setViewport({ x: x + step[0] * PAN_PX, y: y + step[1] * PAN_PX, zoom });
  } else if (key === "+" || key === "=") void flow.zoomIn();
  else if (key === "-") void flow.zoomOut();
  else if (key === "0") void flow.fitView(FIT);
  else return false;
  return true;
}

/** A box that is reached by Tab is moved into sight. The browser would scroll the frame instead, and lose the picture. */
function bringIntoSight<N extends Node, E extends Edge>({ target, currentTarget }: FocusEvent, flow: ReactFlowInstance<N, E> | null): void {
  const id = target.closest<HTMLElement>(".react-flow__node")?.dataset["id"];
  const node = id === undefined ? undefined : flow?.getNode(id);
  if (!flow || !node) return;
  for (const one of [currentTarget, ...currentTarget.querySelectorAll(".react-flow, .react-flow__renderer, .react-flow__pane")]) one.scrollTo(0, 0);
  const [box, around] = [target.getBoundingClientRect(), currentTarget.getBoundingClientRect()];
  if (box.left >= around.left && box.right <= around.right && box.top >= around.top && box.bottom <= around.bottom) return;
  const { width = 0, height = 0 } = node.measured ?? {};
  void flow.setCenter(node.position.x + width / 2, node.position.y + height / 2, { zoom: flow.getZoom() });
}
