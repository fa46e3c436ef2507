// The targets of one job, and those that its relabelling drops.
import { Button } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { targetsQuery } from "@/api/seriesQueries";
import type { ActiveTarget } from "@/api/types";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { StatusMark } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { selectorOf } from "@/lib/cardinality";
import { explorePath } from "@/lib/explore";
import { formatCount, formatDuration, NOTHING, plural } from "@/lib/format";
import { type Pool, scrapedAt, targetKey, verdictOf } from "@/lib/targets";
import classes from "./Targets.module.css";

const ROWS = 100;

export function PoolSection({ pool, onChoose }: { pool: Pool; onChoose: (key: string) => void }) {
  const [room, setRoom] = useState(ROWS);
  return (
    <Section title={pool.name} aside={poolText(pool)}>
      {pool.failures.map(({ kind, source, error, since }) => (
        <p key={`${kind}/${source}`} className={classes.failure}>
          Discovery by {kind} began to fail <When at={since} />: {error.includes(source) ? error : `${source}: ${error}`}
        </p>
      ))}
      {pool.active.length === 0 && <p className="faint">No target: discovery found nothing{pool.droppedCount > 0 ? " that relabelling keeps" : ""}.</p>}
      {pool.shown.length > 0 && (
        <table className={`${table.table} ${classes.targets}`}>
          <thead>
            <tr>
              <th className={classes.health}>Health</th>
              <th>Target</th>
              <th className={classes.labels}>Labels</th>
              <th className={classes.last} data-align="right">
                Last scrape
              </th>
              <th className={classes.took} data-align="right">
                Took
              </th>
              <th className={classes.error}>Error</th>
              <th className={classes.go} />
            </tr>
          </thead>
          <tbody>
            {pool.shown.slice(0, room).map((target) => (
              <Row key={targetKey(target)} target={target} onChoose={onChoose} />
            ))}
          </tbody>
        </table>
      )}
      {pool.shown.length > room && (
        <Button variant="default" className={classes.more} onClick={() => setRoom(room + ROWS)}>
          Show more of {formatCount(pool.shown.length)}
        </Button>
      )}
      {pool.dropped.length > 0 && <Dropped pool={pool} onChoose={onChoose} />}
    </Section>
  );
}

function poolText({ active, droppedCount }: Pool): string {
  const up = active.filter((target) => target.health === "up").length;
  const [first] = active;
  return [active.length > 0 ? `${formatCount(up)} of ${formatCount(active.length)} up` : "", first ? `every ${first.scrapeInterval}` : "", droppedCount > 0 ? `${formatCount(droppedCount)} dropped` : ""].filter(Boolean).join(", ");
}

function Row({ target, onChoose }: { target: ActiveTarget; onChoose: (key: string) => void }) {
  const { job: _, instance: __, ...own } = target.labels;
  const labels = Object.entries(own);
  const name = target.labels["instance"] ?? target.scrapeUrl;
  const path = upPath(target);
  return (
    <tr>
      <td className={classes.health}>
        <StatusMark verdict={verdictOf(target)} />
      </td>
      <td data-tip={target.scrapeUrl}>
        <button type="button" className={`${table.rowLink} ${classes.name}`} data-row onClick={() => onChoose(targetKey(target))}>
          {name}
        </button>
        {!target.scrapeUrl.endsWith(`//${name}/metrics`) && <span className={classes.url}>{target.scrapeUrl}</span>}
      </td>
      <td className={`${classes.labels} mono dim`} data-tip={labels.map(([label, value]) => `${label}="${value}"`).join("\n") || undefined}>
        {labels.length > 0 ? labels.map(([label, value]) => `${label}="${value}"`).join(" ") : NOTHING}
      </td>
      <td className={`${classes.last} dim`} data-align="right">
        <When at={scrapedAt(target)} />
      </td>
      <td className={`${classes.took} tabular dim`} data-align="right" data-tip={`The timeout is ${target.scrapeTimeout}`}>
        {scrapedAt(target) ? formatDuration(target.lastScrapeDuration) : NOTHING}
      </td>
      <td className={classes.error} data-tip={target.lastError || undefined}>
        {target.lastError}
      </td>
      <td className={classes.go}>
        <Go to={path} className={`${table.above} ${classes.explore}`} aria-label={`Explore up of ${name}`} data-tip="Explore up">
          <IconChartLine size={14} />
        </Go>
      </td>
    </tr>
  );
}

export const upPath = (target: Pick<ActiveTarget, "labels">): string => explorePath([selectorOf("up", target.labels)]);

function Dropped({ pool, onChoose }: { pool: Pool; onChoose: (key: string) => void }) {
  const all = useQuery(targetsQuery).data?.droppedTargets ?? [];
  return (
    <details className={classes.dropped}>
      <summary>
        {plural(pool.droppedCount, "target")} dropped by relabelling
        {pool.droppedCount > pool.dropped.length && `, ${formatCount(pool.dropped.length)} listed`}
      </summary>
      <ul>
        {pool.dropped.slice(0, ROWS).map((target) => {
          const at = all.indexOf(target);
          return (
            <li key={at}>
              <button type="button" className={classes.name} onClick={() => onChoose(`dropped/${at}`)}>
                {target.discoveredLabels["__address__"] ?? "no address"}
              </button>
            </li>
          );
        })}
      </ul>
    </details>
  );
}
