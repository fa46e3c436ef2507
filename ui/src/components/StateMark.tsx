// The state of a run or a step as people see it everywhere: icon and word, never colour alone.
import {
  IconAlertTriangleFilled, IconAnchorOff, IconArrowBackUp, IconCircleCheckFilled, IconCircleMinus, IconCircleXFilled, IconClockHour4, IconHourglass, IconPlayerPlayFilled, IconPlayerSkipForward,
} from "@tabler/icons-react";
import { type AnyState, STATE_TONE, STATE_WORD } from "@/lib/runs";
import classes from "./StateMark.module.css";

const ICONS: Record<AnyState, typeof IconClockHour4> = {
  queued: IconClockHour4,
  running: IconPlayerPlayFilled,
  waiting: IconHourglass,
  cancelling: IconArrowBackUp,
  succeeded: IconCircleCheckFilled,
  failed: IconCircleXFilled,
  cancelled: IconCircleMinus,
  stranded: IconAnchorOff,
  compensated: IconArrowBackUp,
  compensation_failed: IconAlertTriangleFilled,
  skipped: IconPlayerSkipForward,
};

export function StateIcon({ state, size = 15 }: { state: AnyState; size?: number }) {
  const Icon = ICONS[state] ?? IconClockHour4;
  return <Icon size={size} className={classes.icon} data-tone={STATE_TONE[state] ?? state} aria-hidden />;
}

export function StateMark({ state, size = 15, isStrong = false }: { state: AnyState; size?: number; isStrong?: boolean }) {
  const tone = STATE_TONE[state];
  return (
    <span className={classes.mark} data-state={state}>
      <StateIcon state={state} size={size} />
      <span className={classes.word} data-tone={tone === "up" && !isStrong ? undefined : tone} data-strong={isStrong || undefined}>
        {STATE_WORD[state] ?? state}
      </span>
    </span>
  );
}

/** The icon alone, where there is no room for the word; its name is read out and shown on hover. */
export function StateIconLabelled({ state, size = 15 }: { state: AnyState; size?: number }) {
  return (
    <span role="img" aria-label={STATE_WORD[state]} data-tip={STATE_WORD[state]} className={classes.alone} data-state={state}>
      <StateIcon state={state} size={size} />
    </span>
  );
}
