// Lines over time, stacked by level; what is wrong stands at the bottom, where its height can be read.
import { useMemo } from "react";
import { SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import { plural } from "@/lib/format";
import { useMarks } from "@/state/marks";
import { barsOf, type Counts } from "./volume";
import classes from "./Logs.module.css";

const HEIGHT = 120;

export function VolumeChart({ counts }: { counts: { data: Counts | undefined; isError: boolean } }) {
  const bars = useMemo(() => (counts.data ? barsOf(counts.data) : undefined), [counts.data]);
  const marks = useMarks(true);
  if (!bars) return counts.isError ? <div className={classes.noVolume}>The number of lines over time could not be counted.</div> : <SkeletonBlock height={HEIGHT} />;
  const total = bars.series.reduce((sum, { values }) => sum + values.reduce<number>((all, count) => all + (count ?? 0), 0), 0);
  return <TimeChart times={bars.times} series={bars.series} marks={marks} unit="count" isStacked isBars isBare height={HEIGHT} label={`${plural(total, "line")} over time, by level`} />;
}
