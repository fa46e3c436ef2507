// What was deployed, when, who says so, how it stands by now; and where to look next.
import { IconRocket } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { deploysQuery } from "@/api/queries";
import type { LogEvent } from "@/api/types";
import { aroundPath } from "@/lib/around";
import { deployedAt, deployOf, deployState, deployTold } from "@/lib/deploys";
import { describeEvent } from "@/lib/events";
import { plural } from "@/lib/format";
import { formatAbsolute } from "@/lib/time";
import { useMay, useNames } from "@/state/session";
import classes from "./DeployCard.module.css";
import { DeployLinks } from "./DeployLinks";
import { Go, servicePath } from "./Go";
import { When } from "./When";

const SHOWN = 4;
const ASKED = 50;

/** `others` happened at the same time and were no deploys. */
export function DeployCard({ events, others }: { events: readonly LogEvent[]; others: number }) {
  const left = events.length - SHOWN + others;
  const [first] = events;
  return (
    <>
      <ol className={classes.list}>
        {events.slice(0, SHOWN).map((event) => (
          <DeployEntry key={event.seq} event={event} />
        ))}
      </ol>
      {first && (events.length > SHOWN || others > 0) && (
        <Go to={aroundEvents(deployedAt(first))} className="link bare">
          {plural(events.length > SHOWN ? left : others, "more event")} then
        </Go>
      )}
    </>
  );
}

function DeployEntry({ event }: { event: LogEvent }) {
  const { subject, text, detail } = describeEvent(event);
  const mayRead = useMay("deploys.read");
  const known = useQuery({ ...deploysQuery(subject, ASKED), enabled: mayRead }).data?.items;
  const deploy = known && deployOf(known, event);
  const names = useNames();
  const at = deployedAt(event);
  const trace = textOf(event.data["trace_id"]);
  return (
    <li className={classes.entry}>
      <div className={classes.head}>
        <IconRocket size={15} aria-hidden />
        <span>
          <Go to={servicePath(subject)} className="link">
            {subject}
          </Go>{" "}
          {text}
        </span>
      </div>
      <div className={classes.fact}>
        {formatAbsolute(new Date(at))}, <When at={at} />
      </div>
      <div className={classes.fact}>{[deployTold(event, names), detail].filter(Boolean).join("; ")}</div>
      {deploy && (
        <div className={classes.fact}>
          Version {deploy.version} {deployState({ ...deploy, environment: "" })}
        </div>
      )}
      <div className={classes.ways}>
        <Go to={aroundPath({ service: subject, at })} className="link bare">
          Around this moment
        </Go>
        <DeployLinks trace={trace} build={deploy?.url || textOf(event.data["url"])} />
      </div>
    </li>
  );
}

const MINUTE_MS = 60_000;

function aroundEvents(at: string): string {
  const ms = Date.parse(at);
  return `/events?${new URLSearchParams({ from: new Date(ms - 5 * MINUTE_MS).toISOString(), to: new Date(ms + 5 * MINUTE_MS).toISOString() }).toString()}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
