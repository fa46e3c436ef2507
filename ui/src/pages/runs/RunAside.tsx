// Beside the timeline: input and result, who told it what, the runs that it started, the small print.
import { useQuery } from "@tanstack/react-query";
import { childRunsQuery } from "@/api/runQueries";
import type { RunDetail } from "@/api/types";
import { Facts } from "@/components/Facts";
import { Go, runPath } from "@/components/Go";
import { Section } from "@/components/Page";
import { StateMark } from "@/components/StateMark";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { isOver, shortId } from "@/lib/runs";
import { formatAbsolute } from "@/lib/time";
import { useNames } from "@/state/session";
import { PayloadView } from "./PayloadView";
import classes from "./RunAside.module.css";

export function RunAside({ run }: { run: RunDetail }) {
  return (
    <aside className={classes.aside}>
      <Signals run={run} />
      <Children run={run} />
      <Section title="Input">
        <PayloadView payload={run.input} label="Input" />
      </Section>
      {run.output && (
        <Section title="Result">
          <PayloadView payload={run.output} label="Result" />
        </Section>
      )}
      <Section title="About">
        <Facts
          facts={{
            Created: formatAbsolute(new Date(run.created_at)),
            ...(run.key ? { Key: run.key } : {}),
            ...(run.concurrency_key ? { "Concurrency key": run.concurrency_key } : {}),
            ...(run.owner ? { "Runs on": run.owner } : {}),
            ...(run.recoveries > 0 ? { Recoveries: `${run.recoveries}, each after a process had died` } : {}),
            ...(run.queries.length > 0 ? { Queries: run.queries } : {}),
          }}
        />
        {run.parent_id && (
          <p className={classes.parent}>
            Started by{" "}
            <Go to={runPath(run.parent_id)} className="link">
              run {shortId(run.parent_id)}
            </Go>
          </p>
        )}
      </Section>
    </aside>
  );
}

function Signals({ run }: { run: RunDetail }) {
  const names = useNames();
  if (run.signals.length === 0) return null;
  return (
    <Section title="Signals">
      <ul className={classes.list}>
        {run.signals.map((signal) => (
          <li key={signal.id}>
            <div className={classes.line}>
              <span>
                <strong>{signal.name}</strong> by {actorName(signal.actor, names) ?? "the system"}
              </span>
              <span className="faint small">
                <When at={signal.at} />
              </span>
            </div>
            {signal.payload && signal.payload.value !== null && <code className={classes.payload}>{signal.payload.is_cut ? signal.payload.preview : JSON.stringify(signal.payload.value)}</code>}
            {signal.refused ? <div className="dim small">Refused: {signal.refused}</div> : !signal.taken_by && !isOver(run.state) && <div className="faint small">No step has asked for it yet</div>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Children({ run }: { run: RunDetail }) {
  const isAny = run.children.length > 0;
  // The detail names the first ones; their states come fresh from the list.
  const fresh = useQuery({ ...childRunsQuery(run.id, !isOver(run.state)), enabled: isAny }).data;
  if (!isAny) return null;
  const states = new Map(fresh?.items.map((one) => [one.id, one.state]));
  return (
    <Section title="Runs that it started">
      <ul className={classes.list}>
        {run.children.map((child) => (
          <li key={child.id} className={classes.line}>
            <Go to={runPath(child.id)} className="link bare truncate">
              {child.workflow}
            </Go>
            <StateMark state={states.get(child.id) ?? child.state} size={14} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
