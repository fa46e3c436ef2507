// A JSON value as text: whole where it is small, its first part and its size where it is not.
import { useMemo } from "react";
import type { Payload } from "@/api/types";
import { Snippet } from "@/components/states";
import { formatBytes, NOTHING } from "@/lib/format";
import classes from "./PayloadView.module.css";

export function PayloadView({ payload, label }: { payload: Payload | null | undefined; label: string }) {
  const text = useMemo(() => (payload ? (payload.is_cut ? payload.preview : JSON.stringify(payload.value, null, 2)) : ""), [payload]);
  if (!payload || (payload.value === null && !payload.is_cut)) return <p className="faint">{NOTHING}</p>;
  return (
    <div className={classes.payload} role="group" aria-label={label}>
      <Snippet text={text} />
      {payload.is_cut && <p className="faint small">The first part of {formatBytes(payload.size_bytes)}. The API and <code>holdfast runs show</code> give all of it.</p>}
    </div>
  );
}
