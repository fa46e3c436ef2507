// The phases of one result, each where it happened in the whole.
import type { Phases } from "@/api/types";
import { formatDuration } from "@/lib/format";
import { waterfall } from "@/lib/phases";
import classes from "./Waterfall.module.css";

export function Waterfall({ phases, total }: { phases: Phases; total: number | null }) {
  const bars = waterfall(phases);
  if (bars.length === 0) return null;
  return (
    <table className={classes.waterfall} aria-label={`Phases of ${formatDuration(total)}`}>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.label}>
            <th scope="row">{bar.label}</th>
            <td className={classes.track}>
              <span className={classes.bar} style={{ left: `${bar.start * 100}%`, width: `${Math.max(bar.width * 100, 0.8)}%`, background: bar.color }} />
            </td>
            <td className={classes.value}>{formatDuration(bar.seconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The same in one line, for rows of a table. */
export function PhaseStrip({ phases }: { phases: Phases }) {
  const bars = waterfall(phases);
  if (bars.length === 0) return null;
  const text = bars.map((bar) => `${bar.label} ${formatDuration(bar.seconds)}`);
  return (
    <span className={classes.strip} role="img" aria-label={`Phases: ${text.join(", ")}`} data-tip={text.join("\n")}>
      {bars.map((bar) => (
        <span key={bar.label} style={{ width: `${bar.width * 100}%`, background: bar.color }} />
      ))}
    </span>
  );
}
