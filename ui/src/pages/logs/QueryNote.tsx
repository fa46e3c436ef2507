// Under the editor: what the server said about the query, or what it cost.
import { IconAlertCircle } from "@tabler/icons-react";
import type { QueryCost } from "@/api/logQueries";
import { formatBytes, formatDuration, plural } from "@/lib/format";
import type { Note } from "@/lib/promql";
import classes from "./Logs.module.css";

export function QueryNote({ note, cost }: { note: Note | undefined; cost: QueryCost | undefined }) {
  return (
    <div className={classes.under}>
      {note ? (
        <p className={classes.note} role="alert">
          <IconAlertCircle size={14} aria-hidden />
          <span>
            <strong>Error</strong>
            {note.place && ` at ${note.place}`}: {note.message}
          </span>
        </p>
      ) : (
        cost && (
          <p className={classes.cost}>
            {plural(cost.lines, "line")} read, {formatBytes(cost.bytes)}, {formatDuration(cost.seconds)}
          </p>
        )
      )}
    </div>
  );
}
