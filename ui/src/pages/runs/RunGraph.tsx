// The steps of a run as boxes: what followed what, what went on side by side, what was undone.
import { type Edge, MarkerType, type Node, type NodeProps } from "@xyflow/react";
import { UnstyledButton } from "@mantine/core";
import { memo, useMemo } from "react";
import type { RunStep } from "@/api/types";
import { BOX, GraphBox } from "@/components/GraphBox";
import { GraphFrame } from "@/components/GraphFrame";
import { Empty } from "@/components/states";
import { StateIconLabelled } from "@/components/StateMark";
import { formatCount, formatDuration } from "@/lib/format";
import { layers, type Place } from "@/lib/layers";
import { graphOf, MOST_NODES, type RunGraphShape } from "@/lib/runGraph";
import { itemsOver, KIND_WORD, STATE_WORD, triesOf, undoneKey } from "@/lib/runs";
import { stepLabel } from "@/lib/timeline";
import classes from "./RunGraph.module.css";

const COLUMN_PX = 214;
const ROW_PX = 68;

type StepNode = Node<{ step: RunStep; isChosen: boolean; onChoose: (key: string) => void }, "step">;

interface RunGraphProps {
  steps: readonly RunStep[];
  chosen: string;
  onChoose: (key: string) => void;
}

export function RunGraph({ steps, chosen, onChoose }: RunGraphProps) {
  const graph = useMemo(() => graphOf(steps), [steps]);
  const places = useMemo(() => placesOf(graph), [graph]);
  if (graph.steps.length === 0) return <Empty title="No step has begun yet" isSmall>Boxes appear here as steps begin.</Empty>;
  const nodes = graph.steps.map((step): StepNode => {
    const { column, row } = places.get(step.key) ?? { column: 0, row: 0 };
    return { id: step.key, type: "step", position: { x: column * COLUMN_PX, y: row * ROW_PX }, draggable: false, focusable: false, data: { step, isChosen: step.key === chosen, onChoose } };
  });
  const undoing = new Set(graph.undoes.map(({ from }) => from));
  const edges = [
    ...graph.edges.filter(({ from, to }) => !undoing.has(from) && !undoing.has(to)).map(({ from, to }): Edge => ({ id: `${from}>${to}`, source: from, target: to, style: LINE, markerEnd: ARROW })),
    ...graph.undoes.map(({ from, to }): Edge => ({ id: `${from}<${to}`, source: to, target: from, sourceHandle: "below", targetHandle: "above", type: "straight", style: UNDO })),
  ];
  return (
    <>
      <GraphFrame label="Graph of steps" height={heightOf(places)} nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} />
      {steps.length > MOST_NODES && <p className="faint small">The first {MOST_NODES} of {formatCount(steps.length)} steps; the timeline has all.</p>}
    </>
  );
}

/** In columns as they followed each other; what undoes a step stands below it, where it can be seen what it belongs to. */
function placesOf({ steps, edges }: RunGraphShape): Map<string, Place> {
  const forward = steps.filter((step) => undoneKey(step) === null);
  const { places } = layers(forward.map((step) => step.key), edges);
  const taken = new Map<number, number>();
  const floor = Math.max(0, ...[...places.values()].map(({ row }) => row));
  for (const step of steps) {
    if (places.has(step.key)) continue;
    const column = places.get(undoneKey(step) ?? "")?.column ?? 0;
    const below = (taken.get(column) ?? 0) + 1;
    taken.set(column, below);
    places.set(step.key, { column, row: floor + 0.5 + below });
  }
  return places;
}

function heightOf(places: ReadonlyMap<string, Place>): number {
  const rows = [...places.values()].map(({ row }) => row);
  return Math.min(640, Math.max(260, (Math.max(...rows) - Math.min(...rows) + 1) * ROW_PX + 120));
}

const LINE = { stroke: "var(--line-strong)", strokeWidth: 1.25 };
const UNDO = { stroke: "var(--series-4)", strokeWidth: 1.25, strokeDasharray: "4 3" };
const ARROW = { type: MarkerType.ArrowClosed, color: "var(--line-strong)", width: 14, height: 14 };

const StepBox = memo(function StepBox({ data: { step, isChosen, onChoose } }: NodeProps<StepNode>) {
  return (
    <GraphBox isUndone>
      <UnstyledButton className={`${BOX} ${classes.box}`} data-row data-state={step.state} data-kind={step.kind} data-chosen={isChosen || undefined} data-tip={stepLabel(step)} onClick={() => onChoose(step.key)}>
        <span className={classes.title}>
          <StateIconLabelled state={step.state} size={14} />
          <span className="truncate">{stepLabel(step)}</span>
        </span>
        <span className={`${classes.note} tabular`}>{noteOf(step)}</span>
      </UnstyledButton>
    </GraphBox>
  );
});

function noteOf(step: RunStep): string {
  const kind = step.kind === "step" ? "" : KIND_WORD[step.kind];
  const time = step.finished_at ? formatDuration(step.duration_s) : STATE_WORD[step.state].toLowerCase();
  const count = step.items ? `${formatCount(step.items.total ?? itemsOver(step.items))} items` : triesOf(step) > 1 ? `${triesOf(step)} attempts` : "";
  return [kind, count, time].filter(Boolean).join(" · ");
}

const NODE_TYPES = { step: StepBox };
