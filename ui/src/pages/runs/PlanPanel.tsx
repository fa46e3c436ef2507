// What a dry run would do, step by step, with the difference it would make. Signs tell what colour repeats.
import type { RunPlan } from "@/api/types";
import { Empty } from "@/components/states";
import { type DiffLine, diffCount, diffLines } from "@/lib/diff";
import classes from "./PlanPanel.module.css";

export function PlanPanel({ plan, onChoose }: { plan: readonly RunPlan[]; onChoose: (key: string) => void }) {
  const isQuiet = plan.every((entry) => entry.changes.length === 0);
  return (
    <>
      {isQuiet && <Empty title="Nothing would change" isSmall>No step of this dry run had anything to change.</Empty>}
      <ol className={classes.plan}>
        {plan.map((entry) => (
          <li key={entry.step}>
            <div className={classes.head}>
              <button type="button" className={classes.step} onClick={() => onChoose(entry.step)} data-row>
                {entry.step}
              </button>
              <span className={entry.changes.length > 0 ? "grow" : "grow dim"}>{KINDS[entry.kind] ?? entry.summary}</span>
            </div>
            <Changes plan={entry} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** What is said of steps that change nothing; those that do say it themselves. */
const KINDS: Record<string, string> = { read: "only reads; it was done for real", sleep: "would sleep", signal: "would wait for a signal", child: "would start a run" };

export function Changes({ plan }: { plan: RunPlan }) {
  return plan.changes.map((change) => {
    const lines = change.diff ? diffLines(change.diff) : [];
    return (
      <div key={`${change.action} ${change.resource}`} className={classes.change}>
        <div className={classes.head}>
          <span className="grow">
            {change.action} <strong>{change.resource}</strong>
            {change.note && <span className="dim">, {change.note}</span>}
          </span>
          {lines.length > 0 && <span className="faint small tabular">{diffCount(lines)}</span>}
        </div>
        {lines.length > 0 && <Diff lines={lines} />}
      </div>
    );
  });
}

function Diff({ lines }: { lines: readonly DiffLine[] }) {
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
