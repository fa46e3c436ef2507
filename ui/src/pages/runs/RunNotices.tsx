// What a person must know before anything else: why it failed, what it waits for, what was not undone.
import { Button } from "@mantine/core";
import type { RunDetail } from "@/api/runs";
import { Notice } from "@/components/Notice";
import { Due, When } from "@/components/When";
import { plural } from "@/lib/format";
import { waitText } from "@/lib/runs";
import { useMay } from "@/state/session";
import { useUrlFilter } from "@/state/timerange";
import classes from "./RunNotices.module.css";

export function RunNotices({ run, onChoose }: { run: RunDetail; onChoose: (key: string) => void }) {
  return (
    <>
      {run.stranded && (
        <Notice tone="degraded" title="The code changed under this run, so it cannot go on by itself">
          {run.stranded.reason}. Nothing is lost: choose a way out with “Resolve”.
        </Notice>
      )}
      {run.failure && !run.stranded && (
        <Notice tone="down" title={`${run.failure.type}: ${run.failure.message}`}>
          {run.failure.step && (
            <>
              at{" "}
              <button type="button" className={classes.step} onClick={() => onChoose(run.failure?.step ?? "")}>
                {run.failure.step}
              </button>
            </>
          )}
        </Notice>
      )}
      <Undoing run={run} />
      {run.state === "waiting" && run.waits.map((wait) => <Waiting key={`${wait.kind}/${wait.name}/${wait.step ?? ""}`} wait={wait} />)}
      {run.state === "queued" && <Notice title={run.due_at ? <>Starts <Due at={run.due_at} /></> : `Waits for its turn in ${run.queue}`} />}
      {run.cancel_reason && <Notice title={`${run.state === "cancelling" ? "Being cancelled" : "Cancelled"}: ${run.cancel_reason}`} />}
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
              since <When at={wait.since} />
              {wait.until && (
                <>
                  , ends <Due at={wait.until} />
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
  const undo = run.compensation;
  if (!undo || undo.declared === 0 || (undo.done === 0 && undo.failed === 0 && run.state !== "cancelling")) return null;
  const text = `${undo.done} of ${plural(undo.declared, "step")} undone`;
  if (undo.failed > 0) return <Notice tone="down" title={`${text}, ${undo.failed} could not be`}>Somebody must look at what is left: open the steps marked “Not undone”.</Notice>;
  return <Notice title={undo.waiting > 0 ? `${text}, ${undo.waiting} to go` : `${text}, in reverse order`} />;
}
