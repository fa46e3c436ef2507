// Events as lines: when, what, why. Newest first.
import { IconBell, IconFileCheck, IconFileX, IconKey, IconPlayerPause, IconPower, IconRocket, IconRoute, IconTool, IconUser, IconWaveSawTool } from "@tabler/icons-react";
import type { LogEvent } from "@/api/types";
import { actorName, describeEvent, eventPath, type Names } from "@/lib/events";
import { memo } from "react";
import { formatAbsolute, formatClock } from "@/lib/time";
import { useNames } from "@/state/session";
import { Go, servicePath } from "./Go";
import { StatusIconLabelled } from "./StatusMark";
import { When } from "./When";
import classes from "./EventList.module.css";

interface EventListProps {
  events: readonly LogEvent[];
  /** Events behind this sequence number arrived while the page was open and glow once. */
  fresh?: number;
  /** Shows the exact time, the service and the kind as well. */
  isDetailed?: boolean;
}

export function EventList({ events, fresh = 0, isDetailed = false }: EventListProps) {
  const names = useNames();
  return (
    <ol className={classes.list}>
      {events.map((event) => (
        <EventLine key={event.seq} event={event} isFresh={event.seq > fresh && fresh > 0} isDetailed={isDetailed} names={names} />
      ))}
    </ol>
  );
}

const EventLine = memo(function EventLine({ event, isFresh, isDetailed, names }: { event: LogEvent; isFresh: boolean; isDetailed: boolean; names: Names }) {
  const { subject, text, detail, verdict } = describeEvent(event, names);
  const path = eventPath(event);
  const actor = actorName(event.actor, names);
  return (
    <li className={classes.line} data-fresh={isFresh || undefined}>
      {isDetailed && (
        <time dateTime={event.at} className={classes.clock} data-tip={formatAbsolute(new Date(event.at))}>
          {formatClock(new Date(event.at))}
        </time>
      )}
      <span className={classes.icon}>{verdict ? <StatusIconLabelled verdict={verdict} size={15} /> : <KindIcon kind={event.kind} />}</span>
      <div className={classes.body}>
        <div className={classes.head}>
          <span className={classes.what}>
            {path ? (
              <Go to={path} className={classes.subject} data-row>
                {subject}
              </Go>
            ) : (
              <span className={classes.subject}>{subject}</span>
            )}{" "}
            {text}
            {actor && actor !== subject && <span className="faint"> by {actor}</span>}
          </span>
          {isDetailed && event.service && (
            <Go to={servicePath(event.service)} className={`${classes.context} link bare`}>
              {event.service}
            </Go>
          )}
          {isDetailed && <span className={`${classes.context} ${classes.kind}`}>{event.kind}</span>}
          <span className={classes.when}>
            <When at={event.at} />
          </span>
        </div>
        {detail && <div className={classes.detail} data-tip={detail.length > 60 ? detail : undefined}>{detail}</div>}
      </div>
    </li>
  );
});

export function KindIcon({ kind, size = 15 }: { kind: string; size?: number }) {
  const [area = ""] = kind.split(".");
  if (kind === "check.flapping") return <IconWaveSawTool size={size} aria-hidden />;
  if (kind === "check.paused" || kind === "check.resumed") return <IconPlayerPause size={size} aria-hidden />;
  if (kind.endsWith("refused")) return <IconFileX size={size} aria-hidden />;
  if (area === "deploy") return <IconRocket size={size} aria-hidden />;
  if (area === "ops" || area === "catalog") return <IconFileCheck size={size} aria-hidden />;
  if (area === "run" || area === "queue" || area === "schedule") return <IconRoute size={size} aria-hidden />;
  if (area === "maintenance") return <IconTool size={size} aria-hidden />;
  if (kind.startsWith("auth.token")) return <IconKey size={size} aria-hidden />;
  if (area === "server") return <IconPower size={size} aria-hidden />;
  if (area === "auth") return <IconUser size={size} aria-hidden />;
  return <IconBell size={size} aria-hidden />;
}
