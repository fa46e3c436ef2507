// One target in full: its state, its labels before and after relabelling, and what each rule did.
import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { relabelQuery } from "@/api/seriesQueries";
import type { ActiveTarget, DroppedTarget } from "@/api/types";
import { Facts } from "@/components/Facts";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { StatusMark } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { selectorOf } from "@/lib/cardinality";
import { explorePath } from "@/lib/explore";
import { formatDuration, NOTHING } from "@/lib/format";
import { labelChanges, scrapedAt, stepTexts, verdictOf } from "@/lib/targets";
import { formatAbsolute } from "@/lib/time";
import { upPath } from "./PoolSection";
import classes from "./Targets.module.css";

interface TargetDrawerProps {
  isOpen: boolean;
  onClose: () => void;
  target: ActiveTarget | undefined;
  dropped: DroppedTarget | undefined;
}

export function TargetDrawer({ isOpen, onClose, target, dropped }: TargetDrawerProps) {
  const title = target?.labels["instance"] ?? dropped?.discoveredLabels["__address__"] ?? "Target";
  return (
    <Drawer opened={isOpen} onClose={onClose} position="right" size={640} title={<span className={classes.title}>{title}</span>} closeButtonProps={{ "aria-label": "Close" }}>
      {isOpen && (
        <div className={classes.drawer}>
          {target && <State target={target} />}
          {dropped && <p className="dim">Relabelling of the job {dropped.scrapePool} drops it: it is not scraped.</p>}
          {target || dropped ? (
            <>
              <Labels before={(target ?? dropped)?.discoveredLabels ?? {}} after={target?.labels ?? {}} />
              <Steps pool={(target ?? dropped)?.scrapePool ?? ""} discovered={(target ?? dropped)?.discoveredLabels ?? {}} />
            </>
          ) : (
            <Empty isSmall title="It is gone">Discovery names this target no more, or its labels have changed.</Empty>
          )}
        </div>
      )}
    </Drawer>
  );
}

function State({ target }: { target: ActiveTarget }) {
  const at = scrapedAt(target);
  return (
    <div>
      <p className="row wrap">
        <StatusMark verdict={verdictOf(target)} isStrong />
        <Go to={upPath(target)} className="link">
          Explore up
        </Go>
        <Go to={explorePath([selectorOf("scrape_duration_seconds", target.labels)])} className="link">
          how long scrapes take
        </Go>
        <Go to={explorePath([selectorOf("scrape_samples_scraped", target.labels)])} className="link">
          how many samples come
        </Go>
      </p>
      {target.lastError && <p className={classes.fault}>{target.lastError}</p>}
      <Facts
        facts={{
          Address: target.scrapeUrl,
          Job: target.scrapePool,
          "Last scrape": at ? formatAbsolute(new Date(at)) : "not yet",
          Took: at ? formatDuration(target.lastScrapeDuration) : NOTHING,
          "Every, at most": `${target.scrapeInterval}, ${target.scrapeTimeout}`,
        }}
      />
    </div>
  );
}

function Labels({ before, after }: { before: Record<string, string>; after: Record<string, string> }) {
  return (
    <Section title="Labels" aside="before and after relabelling">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Labels before and after relabelling">
        <table className={`${table.table} ${table.plain} ${classes.changes}`}>
          <thead>
            <tr>
              <th>Label</th>
              <th>As discovered</th>
              <th>On the samples</th>
            </tr>
          </thead>
          <tbody>
            {labelChanges(before, after).map((one) => (
              <tr key={one.name} data-gone={one.after === null || undefined}>
                <td className="mono" data-tip={one.name}>{one.name}</td>
                <td className="mono dim" data-tip={one.before ?? undefined}>{one.before ?? NOTHING}</td>
                <td className="mono" data-tip={one.after ?? undefined}>{one.after === null ? <span className="faint">–</span> : one.after === one.before ? one.after : <strong>{one.after}</strong>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Steps({ pool, discovered }: { pool: string; discovered: Record<string, string> }) {
  const query = useQuery(relabelQuery(pool, discovered));
  return (
    <Section title="Relabelling, rule by rule">
      <QueryView query={query} skeleton={<SkeletonRows rows={3} height={28} />}>
        {(steps) =>
          steps.length === 0 ? (
            <p className="faint">The job has no relabel_configs.</p>
          ) : (
            <ol className={classes.steps}>
              {stepTexts(discovered, steps).map((step, at) => (
                <li key={at}>
                  <code>{step.rule}</code>
                  <span className={step.isDrop ? classes.fault : step.effect ? "dim" : "faint"}>{step.effect || "changes nothing"}</span>
                </li>
              ))}
            </ol>
          )
        }
      </QueryView>
    </Section>
  );
}
