// Runs as dense rows, newest first: how they stand, what they do or why they do not, since when, how long.
import { memo, useRef } from "react";
import type { RunSummary } from "@/api/types";
import { Go, runPath, servicePath } from "@/components/Go";
import { StateMark } from "@/components/StateMark";
import table from "@/components/table.module.css";
import { Due, When } from "@/components/When";
import { formatDuration, NOTHING } from "@/lib/format";
import { progressText, runSeconds, shortId, starterText, waitText } from "@/lib/runs";
import type { Names } from "@/lib/events";
import { useGlide, useSettledOrder } from "@/state/motion";
import { useNow } from "@/state/now";
import { useNames } from "@/state/session";
import classes from "./RunTable.module.css";

export function RunTable({ runs }: { runs: readonly RunSummary[] }) {
  const area = useRef<HTMLTableSectionElement>(null);
  const ordered = useSettledOrder(runs, (run) => run.id, area);
  const names = useNames();
  useGlide(area, ordered.map((run) => run.id).join());
  return (
    <table className={`${table.table} ${classes.runs}`}>
      <thead>
        <tr>
          <th className={classes.state}>State</th>
          <th className={classes.workflow}>Workflow</th>
          <th className={classes.service}>Service</th>
          <th className={classes.what}>What it does</th>
          <th className={classes.queue}>Queue</th>
          <th className={classes.actor}>Started by</th>
          <th className={classes.when}>Created</th>
          <th className={classes.took} data-align="right">
            Duration
          </th>
        </tr>
      </thead>
      <tbody ref={area}>
        {ordered.map((run) => (
          <RunRow key={run.id} run={run} names={names} />
        ))}
      </tbody>
    </table>
  );
}

const RunRow = memo(function RunRow({ run, names }: { run: RunSummary; names: Names }) {
  return (
    <tr data-key={run.id} data-state={run.state}>
      <td className={classes.state}>
        <StateMark state={run.state} />
      </td>
      <td className={classes.workflow}>
        <span className={classes.nameLine}>
          <Go to={runPath(run.id)} className={`${table.rowLink} truncate`} data-row>
            {run.workflow}
          </Go>
          {run.is_dry_run && <span className={classes.dry}>dry run</span>}
          <span className={`${classes.id} mono`}>{run.key ?? shortId(run.id)}</span>
        </span>
      </td>
      <td className={classes.service}>
        {run.service && (
          <Go to={servicePath(run.service)} className={`${table.above} link bare`}>
            {run.service}
          </Go>
        )}
      </td>
      <td className={`${classes.what} dim`}>
        <Doing run={run} />
      </td>
      <td className={`${classes.queue} dim`}>{run.queue}</td>
      <td className={`${classes.actor} dim`}>{starterText(run.actor, names)}</td>
      <td className={`${classes.when} dim`}>
        <span className={table.above}>
          <When at={run.created_at} />
        </span>
      </td>
      <td className={classes.took} data-align="right">
        <Took run={run} />
      </td>
    </tr>
  );
});

function Doing({ run }: { run: RunSummary }) {
  if (run.failure && (run.state === "failed" || run.state === "stranded")) {
    const text = `${run.failure.type}: ${run.failure.message}`;
    return <span data-tip={text.length > 40 ? text : undefined} className={table.above}>{text}</span>;
  }
  if (run.state === "stranded") return <>The code changed under it: choose a way out</>;
  const wait = run.waits[0];
  if (run.state === "waiting" && wait) return <>for {waitText(wait)}{wait.until && <>, ends <Due at={wait.until} /></>}</>;
  if (run.state === "queued") return run.due_at ? <>starts <Due at={run.due_at} /></> : <>waits for its turn{run.priority !== 0 && `, priority ${run.priority}`}</>;
  if (run.state === "cancelling") return <>undoes what it has done</>;
  if (run.progress) return <>{progressText(run.progress)}</>;
  return null;
}

export function Took({ run }: { run: Pick<RunSummary, "started_at" | "finished_at"> }) {
  const text = useNow((now) => {
    const seconds = runSeconds(run, now);
    // While it lasts, whole seconds: tenths would flicker.
    return seconds === null ? NOTHING : formatDuration(run.finished_at ? seconds : Math.round(seconds));
  });
  return <span className="tabular">{text}</span>;
}
