// Times in tables and sentences: relative to read, absolute on hover and on focus.
import { useCallback } from "react";
import { formatAbsolute, formatAge, formatRelative } from "@/lib/time";
import { useNow } from "@/state/now";
import { NOTHING } from "@/lib/format";

export function When({ at }: { at: string | null | undefined }) {
  return at ? <Relative at={at} format={formatRelative} /> : <span className="faint">{NOTHING}</span>;
}

/** When something is due; what should have begun a moment ago is due now. */
export function Due({ at }: { at: string | null | undefined }) {
  return at ? <Relative at={at} format={formatDue} /> : <span className="faint">{NOTHING}</span>;
}

function formatDue(at: Date, now: Date): string {
  return at <= now ? "now" : formatRelative(at, now);
}

/** How long a state has lasted: "12m". */
export function Age({ since }: { since: string | null | undefined }) {
  return since ? <Relative at={since} format={formatAge} /> : null;
}

function Relative({ at, format }: { at: string; format: (at: Date, now: Date) => string }) {
  const text = useNow(useCallback((now: Date) => format(new Date(at), now), [at, format]));
  return (
    <time dateTime={at} data-tip={formatAbsolute(new Date(at))} className="truncate">
      {text}
    </time>
  );
}
