// The head of a printed page: which time it shows, and when it was printed.
import { formatAbsolute } from "@/lib/time";
import { resolveRange } from "@/lib/timerange";
import { usePrinting } from "@/state/printing";
import { useTimeRange } from "@/state/timerange";
import { useHandle } from "./Breadcrumbs";
import classes from "./Shell.module.css";

export function Printed() {
  const { range } = useTimeRange();
  const hasRange = useHandle()?.handle.hasRange ?? false;
  if (!usePrinting()) return null;
  const now = new Date();
  const { start, end } = resolveRange(range, now);
  return (
    <p className={classes.printed}>
      <span>{hasRange && `${formatAbsolute(start)} to ${formatAbsolute(end)}`}</span>
      <span>Printed {formatAbsolute(now)}</span>
    </p>
  );
}
