// Above the lines while they are followed: whether they come, what waits, what was dropped, and what to do about it.
import { Button, CloseButton, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconBroadcast, IconLoader2, IconMoonStars, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { plural } from "@/lib/format";
import { formatAge } from "@/lib/time";
import { useNow } from "@/state/now";
import type { FollowedTail } from "./lines";
import classes from "./TailStrip.module.css";

const MARKS = {
  live: { word: "Live", icon: IconBroadcast },
  paused: { word: "Paused", icon: IconPlayerPause },
  connecting: { word: "Connecting", icon: IconLoader2 },
  lost: { word: "Connection lost", icon: IconAlertTriangle },
  resting: { word: "Resting while this tab is hidden", icon: IconMoonStars },
} as const;

export function TailStrip({ tail, isReading }: { tail: FollowedTail; isReading: boolean }) {
  const shown = tail.state === "live" && tail.isPaused ? "paused" : tail.state;
  const { word, icon: Icon } = MARKS[shown];
  return (
    <div className={classes.strip}>
      <span className={classes.mark} data-state={shown} role="status">
        <Icon size={14} aria-hidden />
        <span>{word}</span>
        <Detail tail={tail} isReading={isReading} />
      </span>
      {tail.dropped > 0 && (
        <span className={classes.dropped} role="alert">
          <IconAlertTriangle size={14} aria-hidden />
          {plural(tail.dropped, "line was", "lines were")} dropped: they came faster than they could be sent here
          <CloseButton size="xs" aria-label="Dismiss" onClick={tail.forgetDropped} />
        </span>
      )}
      <span className={classes.ways}>
        {tail.state === "lost" && (
          <UnstyledButton className={classes.again} onClick={tail.retryNow}>
            Connect now
          </UnstyledButton>
        )}
        <Button
          size="compact-xs"
          variant="default"
          leftSection={tail.isPaused ? <IconPlayerPlay size={12} /> : <IconPlayerPause size={12} />}
          onClick={tail.togglePause}
          data-tip={tail.isPaused ? "Show what waits, and go on  Space" : "Newer lines wait until you resume  Space"}
        >
          {tail.isPaused ? "Resume" : "Pause"}
        </Button>
      </span>
    </div>
  );
}

function Detail({ tail, isReading }: { tail: FollowedTail; isReading: boolean }) {
  const age = useNow((now) => (tail.lostSince === null ? "" : formatAge(new Date(tail.lostSince), now)));
  if (tail.state === "lost") return <span className={classes.detail}>{[age && `for ${age}`, tail.why || "trying again"].filter(Boolean).join(": ")}</span>;
  if (tail.isPaused) return <span className={classes.detail}>{tail.waiting > 0 ? `${plural(tail.waiting, "newer line")} ${tail.waiting === 1 ? "waits" : "wait"}` : "newer lines wait until you resume"}</span>;
  if (tail.state === "live") return <span className={classes.detail}>{isReading ? "held while you read" : "lines come as they are stored"}</span>;
  return null;
}
