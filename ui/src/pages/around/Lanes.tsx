// The picture: a lane per kind of signal, a bar per finding from when it moved; the moment as a line through all lanes.
import type { Around, Finding } from "@/api/types";
import { findingName, LATE, type LaneLayout, layLanes } from "@/lib/around";
import { formatClock } from "@/lib/time";
import classes from "./Around.module.css";

const TICKS = 6;
const MARKS: Record<Finding["direction"], string> = { up: "↑", down: "↓", new: "+", gone: "∅", happened: "•" };

export function Lanes({ answer, chosen, onChoose }: { answer: Around; chosen: string; onChoose: (id: string) => void }) {
  const early = answer.findings.filter((one) => one.moved_at < answer.start).map((one) => Date.parse(one.moved_at));
  const start = Math.min(Date.parse(answer.start), ...early);
  const end = Date.parse(answer.end);
  const lanes = layLanes(answer.findings, start, end);
  const share = (ms: number): string => `${(((ms - start) / (end - start)) * 100).toFixed(3)}%`;
  const ticks = Array.from({ length: TICKS }, (_, at) => start + ((end - start) * at) / (TICKS - 1));
  return (
    <figure className={classes.lanes} aria-label="What moved, by lane and time">
      <div className={classes.labels} aria-hidden>
        {lanes.map((lane) => (
          <div key={lane.lane} className={classes.laneLabel} style={{ height: heightOf(lane) }}>
            {lane.label}
            {lane.left > 0 && <span className="faint small"> +{lane.left}</span>}
          </div>
        ))}
      </div>
      <div className={classes.field}>
        <div className={classes.moment} style={{ left: share(Date.parse(answer.at)) }} data-tip={`The moment, ${formatClock(new Date(answer.at))}`} />
        {lanes.map((lane) => (
          <ol key={lane.lane} className={classes.lane} style={{ height: heightOf(lane) }} aria-label={lane.label}>
            {lane.bars.map(({ finding, row, from, to }) => (
              <li key={finding.id} style={{ top: row * ROW_PX + PAD_PX, left: `${from * 100}%` }} data-late={from > LATE || undefined}>
                <button type="button" className={classes.bar} style={{ width: `max(4px, calc(var(--field) * ${(to - from).toFixed(5)}))` }} data-lane={finding.lane} data-usual={finding.is_usual || undefined} data-chosen={finding.id === chosen || undefined} aria-label={`${formatClock(new Date(finding.moved_at))} ${finding.reason}`} data-tip={`${formatClock(new Date(finding.moved_at))}  ${finding.reason}`} onClick={() => choose(finding, onChoose)} />
                <span className={classes.barLabel} aria-hidden>
                  {MARKS[finding.direction]} {findingName(finding)}
                </span>
              </li>
            ))}
          </ol>
        ))}
        <div className={classes.ticks} aria-hidden>
          {ticks.map((at, place) => (
            <span key={at} style={{ left: share(at) }} data-end={place === TICKS - 1 || undefined} data-middle={(place > 0 && place < TICKS - 1) || undefined}>
              {formatClock(new Date(at))}
            </span>
          ))}
        </div>
      </div>
    </figure>
  );
}

const ROW_PX = 24;
const PAD_PX = 5;

function heightOf(lane: LaneLayout): number {
  return lane.rows * ROW_PX + 2 * PAD_PX;
}

function choose(finding: Finding, onChoose: (id: string) => void): void {
  onChoose(finding.id);
  document.getElementById(`finding-${finding.id}`)?.scrollIntoView({ block: "nearest" });
}
