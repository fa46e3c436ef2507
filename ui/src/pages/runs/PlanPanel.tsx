// What a dry run would do, step by step, with the difference it would make. Signs tell what colour repeats.
import type { RunPlan } from "@/api/runs";
import { Empty } from "@/components/states";
import { type DiffLine, diffCount, diffLines } from "@/lib/diff";
import { PayloadView } from "./PayloadView";
import classes from "./PlanPanel.module.css";

export function PlanPanel({ plan, onChoose }: { plan: readonly RunPlan[]; onChoose: (key: string) => void }) {
  if (plan.length === 0) return <Empty title="Nothing would change" isSmall>No step of this dry run had anything to do.</Empty>;
  return (
    <ol className={classes.plan}>
      {plan.map((entry) => (
        <li key={entry.step}>
          <Entry entry={entry} onChoose={onChoose} />
        </li>
      ))}
    </ol>
  );
}

function Entry({ entry, onChoose }: { entry: RunPlan; onChoose: (key: string) => void }) {
  const lines = entry.diff ? diffLines(entry.diff) : [];
  return (
    <>
      <div className={classes.head}>
        <button type="button" className={classes.step} onClick={() => onChoose(entry.step)} data-row>
          {entry.step}
        </button>
        <span className="grow">{entry.summary}</span>
        {lines.length > 0 && <span className="faint small tabular">{diffCount(lines)}</span>}
      </div>
      {lines.length > 0 && <Diff lines={lines} />}
      {entry.value && entry.diff === "" && <PayloadView payload={entry.value} label={`Plan of ${entry.step}`} />}
    </>
  );
}

export function Diff({ lines }: { lines: readonly DiffLine[] }) {
  return (
    <pre className={classes.diff} tabIndex={0} aria-label="Difference">
      {lines.map((line, index) => (
        <span key={index} data-kind={line.kind} className={classes.line}>
          <span className={classes.sign}>{line.sign}</span>
          {line.text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
