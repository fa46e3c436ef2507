// A line under the top bar while the connection is gone for long: how old the page may be, and a way to try now.
import { UnstyledButton } from "@mantine/core";
import { formatAge } from "@/lib/time";
import { live, useDownSince } from "@/state/live";
import { useNow } from "@/state/now";
import { useIsStale } from "./LiveMark";
import classes from "./StaleBar.module.css";

export function StaleBar() {
  const isStale = useIsStale();
  const downSince = useDownSince();
  const age = useNow((now) => (downSince === null ? "" : formatAge(new Date(downSince), now)));
  if (!isStale) return null;
  return (
    <div className={classes.bar} role="alert" data-screen>
      <span>
        Not connected for {age}. What you see may be out of date; the console keeps trying.
      </span>
      <UnstyledButton className={classes.retry} onClick={live.retryNow}>
        Try now
      </UnstyledButton>
    </div>
  );
}
