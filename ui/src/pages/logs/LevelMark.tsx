// A level as colour and word.
import { LEVEL_COLOR, type Level } from "@/lib/logs";
import classes from "./Logs.module.css";

export function LevelMark({ level }: { level: Level }) {
  return (
    <span className={classes.level} data-level={level}>
      <i style={{ background: LEVEL_COLOR[level] }} aria-hidden />
      {level}
    </span>
  );
}
