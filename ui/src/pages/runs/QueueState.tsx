// Whether a queue or a schedule lets runs through: icon and word.
import { IconCircleCheck, IconDropletDown, IconPlayerPauseFilled } from "@tabler/icons-react";
import classes from "./Queues.module.css";

const STATES: Record<string, { word: string; icon: typeof IconCircleCheck }> = {
  open: { word: "Open", icon: IconCircleCheck },
  active: { word: "Active", icon: IconCircleCheck },
  paused: { word: "Paused", icon: IconPlayerPauseFilled },
  draining: { word: "Draining", icon: IconDropletDown },
};

export function QueueState({ state }: { state: string }) {
  const { word, icon: Icon } = STATES[state] ?? { word: state, icon: IconCircleCheck };
  return (
    <span className={classes.mark} data-held={(state !== "open" && state !== "active") || undefined}>
      <Icon size={15} aria-hidden />
      {word}
    </span>
  );
}
