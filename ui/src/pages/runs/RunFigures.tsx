// The numbers of a run: how long, how far, until when, how often anew.
import type { RunDetail } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Due, When } from "@/components/When";
import { formatCount, formatDuration, NOTHING, plural } from "@/lib/format";
import { isOver, itemsOver } from "@/lib/runs";
import { Took } from "./RunTable";
import classes from "./RunFigures.module.css";

export function RunFigures({ run }: { run: RunDetail }) {
  const total = Object.values(run.steps).reduce((sum, count) => sum + count, 0);
  const open = (run.steps["running"] ?? 0) + (run.steps["waiting"] ?? 0);
  const failed = (run.steps["failed"] ?? 0) + (run.steps["compensation_failed"] ?? 0);
  const items = run.maps.reduce((sum, one) => sum + itemsOver(one), 0);
  const all = run.maps.reduce((sum, one) => sum + (one.total ?? 0), 0);
  const waited = run.started_at ? (Date.parse(run.started_at) - Date.parse(run.created_at)) / 1000 : null;
  return (
    <Figures
      items={[
        { label: "Duration", value: <Took run={run} />, note: run.finished_at ? <>ended <When at={run.finished_at} /></> : run.started_at ? <>began <When at={run.started_at} /></> : "not begun" },
        { label: "Steps over", value: `${formatCount(total - open)} of ${formatCount(total)}`, note: failed > 0 ? `${failed} failed` : items > 0 ? `${formatCount(items)} of ${plural(Math.max(items, all), "item")}` : open > 0 ? `${plural(open, "step")} under way` : "none failed" },
        { label: "Waited to begin", value: waited === null ? NOTHING : formatDuration(Math.max(0, waited)), note: run.priority === 0 ? "ordinary priority" : `priority ${run.priority}` },
        { label: "Deadline", value: run.deadline_at && !isOver(run.state) ? <Due at={run.deadline_at} /> : NOTHING, note: run.deadline_at ? isOver(run.state) ? "it is over" : "then it fails" : "none" },
        { label: "Attempt", value: run.attempt_group, note: run.recoveries > 0 ? plural(run.recoveries, "recovery", "recoveries") : run.attempt_group > 1 ? "retried or replayed" : "the first" },
        { label: "Key", value: <span className={classes.key} data-tip={run.key ?? undefined}>{run.key ?? NOTHING}</span>, note: run.key ? "started once only" : "none" },
      ]}
    />
  );
}
