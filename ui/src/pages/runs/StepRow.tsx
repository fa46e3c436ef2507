// One line of the timeline: a step's name, its bars, how long it took.
import { UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { memo } from "react";
import type { RunStep } from "@/api/types";
import { StateIconLabelled } from "@/components/StateMark";
import { formatCount, formatDuration, NOTHING } from "@/lib/format";
import { itemsOver, KIND_WORD, triesOf } from "@/lib/runs";
import { describeStep, place, segmentsOf, stepLabel, type TimelineRow, type Window } from "@/lib/timeline";
import classes from "./StepRow.module.css";

interface StepRowProps {
  row: Extract<TimelineRow, { type: "step" }>;
  window: Window;
  /** The present in ms; 0 for steps that are over. */
  now: number;
  isChosen: boolean;
  onChoose: (key: string) => void;
  onToggle: (key: string) => void;
}

export const StepRow = memo(function StepRow({ row, window, now, isChosen, onChoose, onToggle }: StepRowProps) {
  const { step, depth, isOpen, canOpen } = row;
  const label = stepLabel(step);
  return (
    <div className={classes.row} data-chosen={isChosen || undefined} data-state={step.state}>
      <div className={classes.name} style={{ paddingLeft: 4 + depth * 16 }}>
        {canOpen ? (
          <UnstyledButton className={classes.toggle} onClick={() => onToggle(step.key)} aria-expanded={isOpen} aria-label={`${isOpen ? "Close" : "Open"} the items of ${step.key}`}>
            {isOpen ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
          </UnstyledButton>
        ) : (
          <span className={classes.toggle} />
        )}
        <StateIconLabelled state={step.state} size={14} />
        <UnstyledButton className={classes.label} data-row onClick={() => onChoose(step.key)} aria-current={isChosen || undefined}>
          <span className="truncate">{label}</span>
        </UnstyledButton>
        <Count step={step} />
      </div>
      <div className={classes.track} data-tip={describeStep(step)} data-tip-follow="">
        {segmentsOf(step, now).map((segment) => {
          const left = place(segment.from, window);
          const right = place(segment.to, window);
          if (right < 0 || left > 100) return null;
          const from = Math.max(-0.5, left);
          return <span key={segment.from} className={classes.bar} data-tone={segment.tone} data-kind={step.kind} style={{ left: `${from}%`, width: `${Math.min(100.5, right) - from}%` }} />;
        })}
      </div>
      <span className={`${classes.took} tabular`}>{took(step, now)}</span>
    </div>
  );
});

function Count({ step }: { step: RunStep }) {
  if (step.items) {
    const failed = step.items.counts["failed"] ?? 0;
    return (
      <span className={`${classes.count} tabular`}>
        {failed > 0 && <span className={classes.failed}>{formatCount(failed)} failed</span>}
        {formatCount(itemsOver(step.items))}
        {step.items.total !== null && `/${formatCount(step.items.total)}`}
      </span>
    );
  }
  if (step.kind === "sleep" || step.kind === "signal" || step.kind === "child") return <span className={classes.count}>{KIND_WORD[step.kind]}</span>;
  const tries = triesOf(step);
  return tries > 1 ? <span className={classes.count} data-tip={`${tries} attempts`}>×{tries}</span> : null;
}

function took(step: RunStep, now: number): string {
  if (step.finished_at) return formatDuration(step.duration_s);
  if (!step.started_at) return NOTHING;
  return formatDuration(Math.max(0, Math.round((now - Date.parse(step.started_at)) / 1000)));
}
