// The curves of all queries on one chart, with their legend.
import { Button } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useState } from "react";
import { SeriesLegend, useSeriesChoice } from "@/components/SeriesLegend";
import { Empty, Loading, SkeletonBlock } from "@/components/states";
import { TimeChart } from "@/components/TimeChart";
import type { Exploration } from "@/lib/explore";
import { formatCount, plural } from "@/lib/format";
import { usePickPath } from "@/state/chartPick";
import { useMarks } from "@/state/marks";
import { DeploysBefore } from "./DeploysBefore";
import type { QueryState } from "./QueryRow";
import { askedOf, usePicture } from "./results";
import classes from "./Explore.module.css";

const DRAWN = 40;
const DRAWN_AT_MOST = 500;
const HEIGHT = 340;

export function GraphView({ exploration, states, step }: { exploration: Exploration; states: ReadonlyMap<number, QueryState>; step: number }) {
  const [isWhole, setWhole] = useState(false);
  const most = isWhole ? DRAWN_AT_MOST : DRAWN;
  const picture = usePicture(exploration, states, step, most);
  const marks = useMarks(exploration.hasMarks);
  const pick = usePickPath(picture.series, exploration.queries);
  const { choice, visible } = useSeriesChoice(picture.series);
  const isWaiting = askedOf(exploration).some(({ place }) => states.get(place)?.answer === undefined && !states.get(place)?.error);
  if (picture.series.length === 0) {
    if (isWaiting) return <Loading><SkeletonBlock height={HEIGHT} /></Loading>;
    if ([...states.values()].every((state) => state.error)) return <div className={classes.failed}>Nothing to draw: see the error at the query.</div>;
    return (
      <Empty title="No data in this window" icon={<IconChartLine size={32} stroke={1.4} />}>
        The query is fine, and no series answers it between these two times. Choose a longer time range, or look for the name in the list of metrics (key b).
      </Empty>
    );
  }
  const drawn = picture.series.filter((one) => !one.isDashed).length;
  return (
    <div className={classes.graph} data-fetching={[...states.values()].some((state) => state.isFetching) || undefined}>
      <TimeChart times={picture.times} series={visible} unit={picture.unit} dots={picture.dots} marks={marks} isStacked={exploration.isStacked} isFitted isBare height={HEIGHT} focused={choice.focused} onPick={pick} label={`${plural(drawn, "series", "series")} over time`} />
      <div className={classes.facts}>
        <span className="faint">A click on a point tells what else moved then; on an exemplar, its trace.</span>
        {picture.dotCount > picture.dots.length && (
          <span>
            {formatCount(picture.dots.length)} of {plural(picture.dotCount, "exemplar")} drawn
          </span>
        )}
        {picture.shared.map(({ letter, text }) => (
          <span key={letter} className="truncate" title={text}>
            {picture.shared.length > 1 || states.size > 1 ? `${letter}: all ` : "All "}have <code>{text}</code>
          </span>
        ))}
        <DeploysBefore marks={marks} />
        {exploration.isCompared && !isWaiting && !picture.series.some((one) => one.isDashed) && <span>Nothing was recorded in this window last week.</span>}
        {picture.count > drawn && (
          <span>
            The first {formatCount(drawn)} of {plural(picture.count, "series", "series")} drawn{" "}
            {!isWhole && (
              <Button variant="default" size="compact-xs" onClick={() => setWhole(true)}>
                Draw {Math.min(picture.count, DRAWN_AT_MOST)}
              </Button>
            )}
          </span>
        )}
      </div>
      <SeriesLegend series={picture.series} unit={picture.unit} choice={choice} />
    </div>
  );
}
