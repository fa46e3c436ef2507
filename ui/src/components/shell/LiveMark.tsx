// Whether what you see is what is: live, connecting, reconnecting, or stale since when.
import { UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconBroadcast, IconLoader2, IconMoonStars } from "@tabler/icons-react";
import { formatAge } from "@/lib/time";
import { live, type LiveState, useDownSince, useLiveState } from "@/state/live";
import { useNow } from "@/state/now";
import classes from "./LiveMark.module.css";

/** After this long without a connection, numbers on the page can no longer be trusted at a glance. */
export const STALE_AFTER_MS = 10_000;

const MARKS: Record<LiveState | "stale", { word: string; tip: string; icon: typeof IconBroadcast }> = {
  live: { word: "Live", tip: "Changes arrive as they happen", icon: IconBroadcast },
  connecting: { word: "Connecting", tip: "Opening the event stream", icon: IconLoader2 },
  reconnecting: { word: "Reconnecting", tip: "The event stream was cut; trying again", icon: IconLoader2 },
  resting: { word: "Resting", tip: "This tab was hidden; it catches up when you return", icon: IconMoonStars },
  stale: { word: "Stale", tip: "No connection to the event stream. Press to try now", icon: IconAlertTriangle },
};

export function useIsStale(): boolean {
  const downSince = useDownSince();
  return useNow((now) => downSince !== null && now.getTime() - downSince > STALE_AFTER_MS);
}

export function LiveMark() {
  const state = useLiveState();
  const isStale = useIsStale();
  const shown = isStale ? "stale" : state;
  const { word, tip, icon: Icon } = MARKS[shown];
  return (
    <UnstyledButton className={classes.mark} data-state={shown} data-tip={tip} onClick={live.retryNow} aria-label={`${word}. ${tip}`}>
      <Icon size={15} aria-hidden />
      <span className={classes.word} role="status">
        {word}
        {isStale && <StaleAge />}
      </span>
    </UnstyledButton>
  );
}

function StaleAge() {
  const downSince = useDownSince();
  const age = useNow((now) => (downSince === null ? "" : formatAge(new Date(downSince), now)));
  return <> {age}</>;
}
