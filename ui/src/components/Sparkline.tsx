// A shape, not a chart: the last durations as one quiet line that starts at zero, with a dot at the newest.
import { sparkPath } from "@/lib/spark";
import classes from "./Sparkline.module.css";

export function Sparkline({ values, label, width = 88, height = 20 }: { values: readonly (number | null)[]; label: string; width?: number; height?: number }) {
  const { line, area, last } = sparkPath(values, width, height);
  return (
    <svg className={classes.spark} viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
      {area && <path className={classes.area} d={area} />}
      {line && <path className={classes.line} d={line} />}
      {last && <circle className={classes.dot} cx={last[0]} cy={last[1]} r={1.75} />}
    </svg>
  );
}
