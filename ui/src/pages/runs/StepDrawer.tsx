// One step in full: its attempts with their errors, what it gave, its log, its idempotency key, who approved it.
import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { logQuery, stepQuery, stepsQuery } from "@/api/runQueries";
import type { RunDetail, RunFailure, RunStep } from "@/api/types";
import { CopyButton } from "@/components/CopyButton";
import { Facts } from "@/components/Facts";
import { Go, runPath } from "@/components/Go";
import { LogLines } from "@/components/LogLines";
import { Section } from "@/components/Page";
import { QueryView, SkeletonBlock } from "@/components/states";
import { StateMark } from "@/components/StateMark";
import table from "@/components/table.module.css";
import { Due, When } from "@/components/When";
import { actorName } from "@/lib/events";
import { formatDuration, NOTHING } from "@/lib/format";
import { isOver, KIND_WORD, shortId, triesOf, undoneKey, waitText } from "@/lib/runs";
import { formatAbsolute } from "@/lib/time";
import { stepLabel } from "@/lib/timeline";
import { useNames } from "@/state/session";
import { PayloadView } from "./PayloadView";
import { Changes } from "./PlanPanel";
import classes from "./StepDrawer.module.css";

interface StepDrawerProps {
  run: RunDetail;
  /** Empty while the drawer is closed. */
  stepKey: string;
  known: readonly RunStep[];
  onChoose: (key: string) => void;
}

export function StepDrawer({ run, stepKey, known, onChoose }: StepDrawerProps) {
  const listed = known.find((step) => step.key === stepKey);
  const query = useQuery({ ...stepQuery(run.id, stepKey), ...(listed ? { placeholderData: listed } : {}) });
  return (
    <Drawer opened={stepKey !== ""} onClose={() => onChoose("")} position="right" size={560} title={<span className={classes.title}>{stepKey}</span>} closeButtonProps={{ "aria-label": "Close" }}>
      {stepKey !== "" && (
        <QueryView query={query} skeleton={<SkeletonBlock height={260} />}>
          {(step) => <Step run={run} step={step} onChoose={onChoose} />}
        </QueryView>
      )}
    </Drawer>
  );
}

function Step({ run, step, onChoose }: { run: RunDetail; step: RunStep; onChoose: (key: string) => void }) {
  return (
    <div className={classes.step}>
      <StepFacts step={step} />
      {step.wait && (
        <p className="dim">
          Waits for {waitText(step.wait)}
          {step.wait.since && <> since <When at={step.wait.since} /></>}
          {step.wait.until && <>, ends <Due at={step.wait.until} /></>}
        </p>
      )}
      {step.failure && <Failure failure={step.failure} />}
      {step.attempts.length > 0 && <Attempts step={step} />}
      {step.plan && (
        <Section title="Plan">
          <p className={classes.gap}>{step.plan.summary}</p>
          <Changes plan={step.plan} />
        </Section>
      )}
      {step.output && (
        <Section title={step.kind === "signal" ? "Payload" : "Output"}>
          <PayloadView payload={step.output} label="Output" />
        </Section>
      )}
      <Within run={run} step={step} onChoose={onChoose} />
      <StepLog run={run} step={step} />
    </div>
  );
}

function StepFacts({ step }: { step: RunStep }) {
  const names = useNames();
  return (
    <div className={classes.head}>
      <div className={classes.line}>
        <StateMark state={step.state} isStrong />
        <span className="faint">{KIND_WORD[step.kind]}</span>
        <span className="tabular">{step.duration_s === null ? "" : formatDuration(step.duration_s)}</span>
      </div>
      <Facts
        facts={{
          ...(step.started_at ? { Began: formatAbsolute(new Date(step.started_at)) } : {}),
          ...(step.finished_at ? { Ended: formatAbsolute(new Date(step.finished_at)) } : {}),
          ...(step.signalled_by ? { "Sent by": actorName(step.signalled_by, names) ?? "the system" } : {}),
          ...(undoneKey(step) ? { Undoes: undoneKey(step) } : {}),
          ...(step.attempt_group > 1 ? { "Attempt of the run": step.attempt_group } : {}),
        }}
      />
      {(step.kind === "step" || step.kind === "compensation") && (
        <div className={classes.key} data-tip="Every outside call of this step carries it, so that a repetition is recognised">
          <span className="faint">Idempotency key</span>
          <code className="truncate">{step.idempotency_key}</code>
          <CopyButton text={step.idempotency_key} label="Copy the idempotency key" />
        </div>
      )}
      {step.child_id && (
        <p>
          Started{" "}
          <Go to={runPath(step.child_id)} className="link">
            run {shortId(step.child_id)}
          </Go>
        </p>
      )}
    </div>
  );
}

function Failure({ failure }: { failure: RunFailure }) {
  return (
    <div className={classes.failure}>
      <strong>{failure.type}</strong>
      <p>{failure.message}</p>
      {failure.traceback && (
        <details>
          <summary>Traceback</summary>
          <pre tabIndex={0}>{failure.traceback}</pre>
        </details>
      )}
    </div>
  );
}

function Attempts({ step }: { step: RunStep }) {
  const hidden = triesOf(step) - 1 - step.attempts.length;
  return (
    <Section title="Attempts" aside={hidden > 0 && `the last ${step.attempts.length + 1} of ${triesOf(step)}`}>
      <table className={`${table.table} ${table.plain}`}>
        <tbody>
          {step.attempts.map((attempt) => (
            <tr key={`${attempt.group}/${attempt.number}`}>
              <td className={classes.number}>{attempt.number}</td>
              <td className={classes.state}>
                <StateMark state={attempt.state} size={14} />
              </td>
              <td className="dim" data-tip={attempt.failure ? `${attempt.failure.type}: ${attempt.failure.message}` : undefined}>
                {attempt.failure ? attempt.failure.message : <When at={attempt.started_at} />}
              </td>
              <td className={`${classes.took} tabular`} data-align="right">
                {formatDuration((Date.parse(attempt.finished_at) - Date.parse(attempt.started_at)) / 1000)}
              </td>
            </tr>
          ))}
          <tr>
            <td className={classes.number}>{step.attempt_count}</td>
            <td className={classes.state}>
              <StateMark state={step.state} size={14} />
            </td>
            <td className="dim" data-tip={step.failure ? `${step.failure.type}: ${step.failure.message}` : undefined}>
              {step.failure ? step.failure.message : step.finished_at ? <>ended <When at={step.finished_at} /></> : "under way"}
            </td>
            <td className={classes.took} data-align="right">
              {NOTHING}
            </td>
          </tr>
        </tbody>
      </table>
    </Section>
  );
}

/** Steps inside this one; only those inside of a fan-out's item can have any that the timeline does not open. */
function Within({ run, step, onChoose }: { run: RunDetail; step: RunStep; onChoose: (key: string) => void }) {
  const query = useQuery({ ...stepsQuery(run.id, step.key, 1), enabled: step.kind !== "map" && step.kind !== "sleep" && step.kind !== "signal" });
  const inside = query.data?.[0]?.items ?? [];
  if (inside.length === 0) return null;
  return (
    <Section title="Inside">
      <ul className={classes.inside}>
        {inside.map((one) => (
          <li key={one.key}>
            <button type="button" onClick={() => onChoose(one.key)}>
              {stepLabel(one)}
            </button>
            <StateMark state={one.state} size={14} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function StepLog({ run, step }: { run: RunDetail; step: RunStep }) {
  const query = useQuery(logQuery(run.id, step.key));
  const lines = query.data ?? [];
  if (lines.length === 0) return null;
  return (
    <Section title="Log">
      <LogLines lines={lines} isLive={!isOver(run.state) && !step.finished_at} />
    </Section>
  );
}
