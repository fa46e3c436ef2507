// One heat map per query: buckets of histograms, native or classic, or series as rows.
import { IconGridDots, IconInfoCircle } from "@tabler/icons-react";
import { useMemo } from "react";
import type { Answer } from "@/api/prom";
import type { Grid } from "@/api/promQueries";
import { HeatMap } from "@/components/HeatMap";
import { Section } from "@/components/Page";
import { Empty, Loading, SkeletonBlock } from "@/components/states";
import { formatUnit, type Unit, withoutZeros } from "@/lib/chart";
import { type Exploration, letterOf } from "@/lib/explore";
import { plural } from "@/lib/format";
import { heatOf, isCumulated, MOST_ROWS } from "@/lib/heat";
import { guessUnit } from "@/lib/promql";
import { matrixOf } from "@/lib/promSeries";
import { usePickPath } from "@/state/chartPick";
import { useMarks } from "@/state/marks";
import type { QueryState } from "./QueryRow";
import { askedOf } from "./results";
import classes from "./Explore.module.css";

const HEIGHT = 340;

export function HeatView({ exploration, states }: { exploration: Exploration; states: ReadonlyMap<number, QueryState> }) {
  const asked = askedOf(exploration);
  return asked.map(({ place, expr }) => {
    const state = states.get(place);
    const picture = state?.answer ? (
      <Picture answer={state.answer} expr={expr} unit={exploration.unit} hasMarks={exploration.hasMarks} />
    ) : state?.error ? (
      <div className={classes.failed}>Nothing to draw: see the error at the query.</div>
    ) : (
      <Loading><SkeletonBlock height={HEIGHT} /></Loading>
    );
    return asked.length > 1 ? <Section key={place} title={<span className="truncate">{`${letterOf(place)}: ${expr}`}</span>}>{picture}</Section> : <div key={place}>{picture}</div>;
  });
}

function Picture({ answer, expr, unit: wanted, hasMarks }: { answer: Answer & { grid?: Grid }; expr: string; unit: string; hasMarks: boolean }) {
  const marks = useMarks(hasMarks);
  const pick = usePickPath([], [expr]);
  const heat = useMemo(() => heatOf(matrixOf(answer.data), answer.grid), [answer]);
  if (heat.rows.length === 0) {
    return (
      <Empty title="No data in this window" icon={<IconGridDots size={32} stroke={1.4} />}>
        A heat map shows histograms: <code>{"sum(rate(name[5m]))"}</code> of a native one, <code>{"sum by (le) (rate(name_bucket[5m]))"}</code> of a classic one.
      </Empty>
    );
  }
  const unit = boundUnit(expr, wanted);
  const bound = (text: string): string => (heat.isBuckets && Number.isFinite(Number(text)) ? withoutZeros(formatUnit(Number(text), unit)) : text);
  const rows = heat.isBuckets ? heat.rows : heat.rows.slice(0, MOST_ROWS);
  return (
    <>
      <HeatMap marks={marks} onPick={(atS) => pick({ atS, dot: null, series: -1 })} heat={{ ...heat, rows }} height={HEIGHT} bound={bound} label={`${plural(rows.length, heat.isBuckets ? "bucket" : "series", heat.isBuckets ? "buckets" : "series")} over time`} />
      {rows.length < heat.rows.length && <p className={classes.cost}>The first {rows.length} of {plural(heat.rows.length, "series", "series")}.</p>}
      {heat.isBuckets && isCumulated(expr) && (
        <p className={classes.note} data-severity="info">
          <IconInfoCircle size={14} aria-hidden />
          <span>
            These counts have grown since each process began. <code>rate(…)</code> or <code>increase(…)</code> shows what came when.
          </span>
        </p>
      )}
    </>
  );
}

/** Bounds are in the unit of what was observed, not of its rate. */
function boundUnit(expr: string, wanted: string): Unit {
  if (wanted) return wanted as Unit;
  const name = /_(seconds|bytes)(?:_bucket)?\b/.exec(expr)?.[1];
  return name === "seconds" || name === "bytes" ? name : guessUnit([expr]);
}
