// What a person must know before anything else: why it failed, what it waits for, what was not undone.
import { Button } from "@mantine/core";
import type { RunDetail, RunStep } from "@/api/types";
import { Notice } from "@/components/Notice";
import { Due } from "@/components/When";
import { actorName } from "@/lib/events";
import { plural } from "@/lib/format";
import { failedStep, waitText } from "@/lib/runs";
import { useMay, useNames } from "@/state/session";
import { useUrlFilter } from "@/state/timerange";
import classes from "./RunNotices.module.css";

export function RunNotices({ run, steps, onChoose }: { run: RunDetail; steps: readonly RunStep[]; onChoose: (key: string) => void }) {
  const failed = failedStep(steps);
  return (
    <>
      {run.stranded && (
        <Notice tone="degraded" title="The code changed under this run, so it cannot go on by itself">
          {run.stranded.reason}. Nothing is lost: choose a way out with “Resolve”.
        </Notice>
      )}
      {run.failure && !run.stranded && (
        <Notice tone="down" title={`${run.failure.type}: ${run.failure.message}`}>
          {failed && (
            <>
              at{" "}
              <button type="button" className={classes.step} onClick={() => onChoose(failed.key)}>
                {failed.key}
              </button>
              .
            </>
          )}
          {run.failure.is_in_doubt && " It may have taken effect all the same: look before it is done again."}
        </Notice>
      )}
      <Undoing run={run} />
      {run.state === "waiting" && run.waits.map((wait) => <Waiting key={`${wait.kind}/${wait.name}/${wait.step ?? ""}`} wait={wait} />)}
      {run.state === "queued" && <Notice title={run.due_at ? <>Starts <Due at={run.due_at} /></> : `Waits for its turn in ${run.queue}`} />}
      <Cancelled run={run} />
    </>
  );
}

function Waiting({ wait }: { wait: RunDetail["waits"][number] }) {
  const [, setDialog] = useUrlFilter("do");
  const maySignal = useMay("runs.signal");
  return (
    <Notice
      title={
        <span className={classes.line}>
          <span className="grow">
            Waits for {waitText(wait)}
            <span className={classes.since}>
              {" "}
              {wait.until && (
                <>
                  ends <Due at={wait.until} />
                </>
              )}
            </span>
          </span>
          {wait.kind === "signal" && (
            <Button onClick={() => setDialog(`signal:${wait.name}`)} disabled={!maySignal} data-tip={maySignal ? "Answer  a" : "Needs the role responder"}>
              Answer
            </Button>
          )}
        </span>
      }
    />
  );
}

function Undoing({ run }: { run: RunDetail }) {
  const count = (state: string): number => run.compensations[state] ?? 0;
  const all = Object.values(run.compensations).reduce((sum, one) => sum + one, 0);
  if (all === 0) return null;
  const text = `${count("succeeded")} of ${plural(all, "step")} undone`;
  if (count("failed") > 0) return <Notice tone="down" title={`${text}, ${count("failed")} could not be`}>Somebody must look at what is left: open the steps marked “Not undone”.</Notice>;
  return <Notice title={run.state === "cancelling" ? `${text} so far` : `${text}, in reverse order`} />;
}

function Cancelled({ run }: { run: RunDetail }) {
  const names = useNames();
  if (run.state !== "cancelling" && run.state !== "cancelled") return null;
  const by = run.cancelled_by ? ` by ${actorName(run.cancelled_by, names) ?? "the system"}` : "";
  return <Notice title={`${run.state === "cancelling" ? "Being cancelled" : "Cancelled"}${by}${run.cancel_reason ? `: ${run.cancel_reason}` : ""}`} />;
}
