// One check: how it is and why, how long it takes and where the time goes, what it did, how it is configured.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { checkQuery } from "@/api/queries";
import type { CheckDetail } from "@/api/types";
import { Figures } from "@/components/Figures";
import { checkPath, Go, servicePath } from "@/components/Go";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { QueryView, SkeletonBlock, Snippet } from "@/components/states";
import { StatusMark } from "@/components/StatusMark";
import { Age, Due } from "@/components/When";
import { formatSpan } from "@/lib/format";
import { uptimeItems } from "@/lib/uptime";
import { CheckActions } from "./CheckActions";
import { ConfigPanel } from "./ConfigPanel";
import { HistorySection } from "./HistorySection";
import { LatencySection } from "./LatencySection";
import { LatestResult } from "./LatestResult";

import { UptimeTimeline } from "./UptimeTimeline";
import classes from "./Check.module.css";

export function Check() {
  const { name = "" } = useParams();
  const query = useQuery(checkQuery(name));
  const check = query.data;
  return (
    <Page
      name={name}
      title={
        <>
          {name}
          {check && <StatusMark verdict={check.verdict} size={18} isStrong />}
        </>
      }
      subtitle={check ? <Subtitle check={check} /> : "\u00a0"}
      actions={check && <CheckActions check={check} />}
    >
      <QueryView query={query} skeleton={<Skeleton />}>
        {(loaded) => (
          <>
            <Notices check={loaded} />
            <Figures items={uptimeItems(loaded.uptime)} />
            <div className={classes.columns}>
              <div className={classes.main}>
                <UptimeTimeline name={name} />
                <LatencySection name={name} />
                <HistorySection name={name} />
              </div>
              <aside className={classes.aside}>
                <LatestResult check={loaded} />
                {loaded.ping_path && (
                  <Section title="Address to call">
                    <Snippet text={`curl -fsS -X POST ${location.origin}${loaded.ping_path}`} />
                  </Section>
                )}
                <Section title="Configuration">
                  <ConfigPanel config={loaded.config} labels={loaded.labels} />
                </Section>
              </aside>
            </div>
          </>
        )}
      </QueryView>
    </Page>
  );
}

function Subtitle({ check }: { check: CheckDetail }) {
  return (
    <span className={classes.subtitle}>
      <span>
        {check.kind} check{" "}
        {check.service && (
          <>
            of{" "}
            <Go to={servicePath(check.service)} className="link">
              {check.service}
            </Go>
          </>
        )}
      </span>
      {check.target && <span className="mono">{check.target}</span>}
      <span>every {formatSpan(check.every_s)}</span>
      {check.since && (
        <span>
          in this state for <Age since={check.since} />
        </span>
      )}
      <span>{check.paused ? "paused" : <>next run <Due at={check.next_at} /></>}</span>
    </span>
  );
}

function Notices({ check }: { check: CheckDetail }) {
  return (
    <>
      {check.verdict !== "up" && check.message && (
        <Notice tone={check.verdict} title={check.message}>
          {check.blocked_by && (
            <>
              Its parent{" "}
              <Go to={checkPath(check.blocked_by)} className="link">
                {check.blocked_by}
              </Go>{" "}
              is down, so this check cannot know.
            </>
          )}
          {check.breaker === "open" && " The circuit breaker is open: the target is tried less often until it answers."}
          {check.breaker === "half_open" && " The circuit breaker is half open: the next answer decides."}
        </Notice>
      )}
      {check.flapping && <Notice title="This check is flapping">Its verdict changes too often; transitions are damped until it calms down.</Notice>}
      {check.maintenance && <Notice title={`In maintenance${check.maintenance_window ? `: ${check.maintenance_window}` : ""}`}>It still runs, but what it finds does not count.</Notice>}
    </>
  );
}

function Skeleton() {
  return (
    <div className={classes.skeleton}>
      <SkeletonBlock height={58} />
      <SkeletonBlock height={40} />
      <SkeletonBlock height={220} />
      <SkeletonBlock height={180} />
    </div>
  );
}
