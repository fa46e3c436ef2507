// One run: how it stands and why, what may be done about it, its steps over time or as a graph, its log, what went in and out.
import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useParams } from "react-router";
import { runQuery } from "@/api/runQueries";
import type { RunDetail } from "@/api/types";
import { CopyButton } from "@/components/CopyButton";
import { Go, servicePath } from "@/components/Go";
import { Page } from "@/components/Page";
import { QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { StateMark } from "@/components/StateMark";
import { When } from "@/components/When";
import { isOver, shortId, starterText } from "@/lib/runs";
import { useRunStream } from "@/state/runStream";
import { useNames } from "@/state/session";
import { useUrlFilter } from "@/state/timerange";
import { PlanPanel } from "./PlanPanel";
import { RunActions } from "./RunActions";
import { RunAside } from "./RunAside";
import { RunFigures } from "./RunFigures";
import { RunLog } from "./RunLog";
import { RunNotices } from "./RunNotices";
import { StepDrawer } from "./StepDrawer";
import { useSteps } from "./steps";
import { Timeline } from "./Timeline";
import classes from "./Run.module.css";

const RunGraph = lazy(async () => ({ default: (await import("./RunGraph")).RunGraph }));

export function Run() {
  const { id = "" } = useParams();
  const query = useQuery(runQuery(id));
  const run = query.data;
  useRunStream(id, run !== undefined && !isOver(run.state) && run.state !== "stranded");
  return (
    <Page
      name={run ? `${run.workflow} ${shortId(id)}` : `Run ${shortId(id)}`}
      title={
        run ? (
          <>
            {run.workflow}
            <StateMark state={run.state} size={18} isStrong />
            {run.is_dry_run && <span className={classes.dry}>dry run</span>}
          </>
        ) : (
          "Run"
        )
      }
      subtitle={run ? <Subtitle run={run} /> : "\u00a0"}
      actions={run && <RunActions run={run} />}
    >
      <QueryView query={query} skeleton={<Skeleton />}>
        {(loaded) => <Body key={loaded.id} run={loaded} />}
      </QueryView>
    </Page>
  );
}

function Subtitle({ run }: { run: RunDetail }) {
  const names = useNames();
  return (
    <span className={classes.subtitle}>
      <span>
        version {run.version}
        {run.service && (
          <>
            {" "}
            for{" "}
            <Go to={servicePath(run.service)} className="link">
              {run.service}
            </Go>
          </>
        )}
      </span>
      <span>
        {run.schedule ? (
          <>
            by schedule{" "}
            <Go to="/runs/schedules" className="link">
              {run.schedule}
            </Go>
          </>
        ) : (
          <>started by {starterText(run.actor, names)}</>
        )}{" "}
        <When at={run.created_at} />
      </span>
      <span>
        queue{" "}
        <Go to={`/runs?queue=${encodeURIComponent(run.queue)}`} className="link">
          {run.queue}
        </Go>
      </span>
      <span className={`${classes.id} mono`}>
        {run.id}
        <CopyButton text={run.id} label="Copy the id" />
      </span>
    </span>
  );
}

function Body({ run }: { run: RunDetail }) {
  const [viewText, setView] = useUrlFilter("view");
  const [chosen, choose] = useUrlFilter("step");
  const steps = useSteps(run.id);
  const view = VIEWS.some((one) => one === viewText) ? viewText : run.plan.length > 0 ? "plan" : "timeline";
  return (
    <>
      <RunNotices run={run} steps={steps.data ?? []} onChoose={choose} />
      <RunFigures run={run} />
      <div className={classes.columns} data-view={view}>
        <div className={classes.main}>
          <Tabs value={view} onChange={(next) => setView(next ?? "")} keepMounted={false} className={classes.tabs}>
            <Tabs.List>
              {(run.is_dry_run || run.plan.length > 0) && <Tabs.Tab value="plan">Plan</Tabs.Tab>}
              <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
              <Tabs.Tab value="graph">Graph</Tabs.Tab>
              <Tabs.Tab value="log">Log</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="plan" className={classes.panel}>
              <PlanPanel plan={run.plan} onChoose={choose} />
            </Tabs.Panel>
            <Tabs.Panel value="timeline" className={classes.panel}>
              <QueryView query={steps} skeleton={<SkeletonRows rows={8} height={28} />}>
                {(loaded) => <Timeline run={run} steps={loaded} chosen={chosen} onChoose={choose} />}
              </QueryView>
            </Tabs.Panel>
            <Tabs.Panel value="graph" className={classes.panel}>
              <QueryView query={steps} skeleton={<SkeletonBlock height={420} />}>
                {(loaded) => (
                  <Suspense fallback={<SkeletonBlock height={420} />}>
                    <RunGraph steps={loaded} chosen={chosen} onChoose={choose} />
                  </Suspense>
                )}
              </QueryView>
            </Tabs.Panel>
            <Tabs.Panel value="log" className={classes.panel}>
              <RunLog run={run} onChoose={choose} />
            </Tabs.Panel>
          </Tabs>
        </div>
        <RunAside run={run} />
      </div>
      <StepDrawer run={run} stepKey={chosen} known={steps.data ?? []} onChoose={choose} />
    </>
  );
}

const VIEWS = ["plan", "timeline", "graph", "log"] as const;

function Skeleton() {
  return (
    <div className={classes.skeleton}>
      <SkeletonBlock height={62} />
      <SkeletonRows rows={9} height={28} />
    </div>
  );
}
