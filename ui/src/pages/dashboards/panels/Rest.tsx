// Says of a panel that there are more series than it shows, so that nobody takes a part for the whole.
import { formatCount, plural } from "@/lib/format";
import classes from "./Panel.module.css";

export const REST_PX = 20;

export function Rest({ shown, count }: { shown: number; count: number }) {
  if (count <= shown) return null;
  return (
    <p className={classes.rest} style={{ height: REST_PX }} data-tip="topk(10, ...) shows the ten greatest">
      The first {formatCount(shown)} of {plural(count, "series", "series")}
    </p>
  );
}
