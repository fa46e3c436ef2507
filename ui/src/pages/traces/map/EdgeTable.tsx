// The edges of the map as lines, the worst first: for keys, for those who cannot see the picture, and to read figures.
import type { MapEdge } from "@/api/types";
import table from "@/components/table.module.css";
import { formatDuration, formatPercent, formatRate } from "@/lib/format";
import { CHANGE_WORD, edgeId, shareFailed, sortEdges } from "@/lib/traces/map";
import classes from "./CallMap.module.css";
import { StateMark } from "./StateMark";

export function EdgeTable({ edges, seconds, chosen, onChoose }: { edges: readonly MapEdge[]; seconds: number; chosen: string; onChoose: (edge: string) => void }) {
  return (
    <table className={`${table.table} ${classes.edges}`}>
      <thead>
        <tr>
          <th>From and to</th>
          <th className={classes.how}>By</th>
          <th className={classes.figure} data-align="right">Calls/s</th>
          <th className={classes.figure} data-align="right">Errors</th>
          <th className={classes.figure} data-align="right" data-wide>p50</th>
          <th className={classes.figure} data-align="right">p95</th>
          <th className={classes.figure} data-align="right" data-wide>p99</th>
          <th className={classes.stateCell}>State</th>
          <th className={classes.changes}>Since then</th>
        </tr>
      </thead>
      <tbody>
        {sortEdges(edges).map((edge) => (
          <Line key={edgeId(edge)} edge={edge} seconds={seconds} isChosen={edgeId(edge) === chosen} onChoose={onChoose} />
        ))}
      </tbody>
    </table>
  );
}

function Line({ edge, seconds, isChosen, onChoose }: { edge: MapEdge; seconds: number; isChosen: boolean; onChoose: (edge: string) => void }) {
  const { rates } = edge;
  const failed = shareFailed(rates);
  const isGone = edge.state === "gone";
  return (
    <tr data-chosen={isChosen || undefined}>
      <td>
        <button type="button" data-row className={classes.open} onClick={() => onChoose(edgeId(edge))} aria-haspopup="dialog">
          {edge.connection === "from_topic" && <span className="faint">topic </span>}
          {edge.source} <span className="faint" aria-label="to">→</span> {edge.connection === "to_topic" && <span className="faint">topic </span>}
          {edge.target}
        </button>
      </td>
      <td className={`${classes.how} dim`}>{edge.protocol || (edge.connection === "call" ? "call" : edge.connection)}</td>
      <td className={classes.figure} data-align="right">{isGone ? "–" : formatRate(rates.calls / Math.max(seconds, 1))}</td>
      <td className={classes.figure} data-align="right">{isGone ? "–" : formatPercent(failed)}</td>
      <td className={classes.figure} data-align="right" data-wide>{ms(rates.p50_ms)}</td>
      <td className={classes.figure} data-align="right">{ms(rates.p95_ms)}</td>
      <td className={classes.figure} data-align="right" data-wide>{ms(rates.p99_ms)}</td>
      <td className={classes.stateCell}><StateMark state={edge.state} /></td>
      <td className={classes.changes}>{edge.changes.map((change) => CHANGE_WORD[change]).join(", ")}</td>
    </tr>
  );
}

const ms = (value: number | null): string => formatDuration(value === null ? null : value / 1000);
