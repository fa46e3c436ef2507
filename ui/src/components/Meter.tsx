// How much of something is used: a bar with its figure. The colour says nothing; whoever has a status says it in words.
import classes from "./Meter.module.css";

export function Meter({ share, text }: { share: number; text: string }) {
  return (
    <span className={classes.meter}>
      <span className={classes.track} aria-hidden>
        <span className={classes.level} style={{ transform: `scaleX(${Math.max(0, Math.min(1, share))})` }} />
      </span>
      <span className={classes.figure}>{text}</span>
    </span>
  );
}
