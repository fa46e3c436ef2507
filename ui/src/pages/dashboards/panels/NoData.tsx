// What a panel shows when its queries gave nothing.
import classes from "./Panel.module.css";

export function NoData() {
  return <p className={classes.note}>No data in this window</p>;
}
