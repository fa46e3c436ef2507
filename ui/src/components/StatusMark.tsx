// A verdict as people see it everywhere: icon and word, never colour alone.
import { IconAlertTriangleFilled, IconCircleCheckFilled, IconCircleXFilled, IconHelpCircle } from "@tabler/icons-react";
import type { Verdict } from "@/api/types";
import { VERDICT_WORD } from "@/lib/status";
import classes from "./StatusMark.module.css";

const ICONS = {
  up: IconCircleCheckFilled,
  degraded: IconAlertTriangleFilled,
  down: IconCircleXFilled,
  unknown: IconHelpCircle,
} as const;

export function StatusIcon({ verdict, size = 16 }: { verdict: Verdict; size?: number }) {
  const Icon = ICONS[verdict];
  return <Icon size={size} className={classes[verdict]} aria-hidden />;
}

export function StatusMark({ verdict, size = 16, isStrong = false }: { verdict: Verdict; size?: number; isStrong?: boolean }) {
  return (
    <span className={classes.mark} data-verdict={verdict}>
      <StatusIcon verdict={verdict} size={size} />
      <span className={isStrong || verdict !== "up" ? `${classes[verdict]} ${classes.strong}` : classes.calm}>{VERDICT_WORD[verdict]}</span>
    </span>
  );
}

/** The icon where the word stands right beside it in another form (a sentence, a heading). */
export function StatusIconLabelled({ verdict, size }: { verdict: Verdict; size?: number }) {
  return (
    <span role="img" aria-label={VERDICT_WORD[verdict]} data-tip={VERDICT_WORD[verdict]} className={classes.icon} data-verdict={verdict}>
      <StatusIcon verdict={verdict} size={size} />
    </span>
  );
}
