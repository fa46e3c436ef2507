// What a comparison found: both sides in figures, shares of both side by side, and the time that operations took.
import { Button } from "@mantine/core";
import { IconCircleCheck, IconDice3 } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { Comparison, Contrast, Growth } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { Empty } from "@/components/states";
import { OperationName } from "@/components/OperationName";
import table from "@/components/table.module.css";
import { formatCount, formatDuration, formatNumber, formatPercent, plural } from "@/lib/format";
import { addAttribute, searchPath } from "@/lib/traces/search";
import classes from "./Compare.module.css";

const FIRST = 20;

export function Found({ found }: { found: Comparison }) {
  const { chosen, others } = found;
  if (chosen.traces === 0) return <Empty title="No trace is chosen by this">Choose a longer time range at the top right, or ask for less.</Empty>;
  if (others.traces === 0) return <Empty title="There is nothing to compare with">The chosen {plural(chosen.traces, "trace")} are all that there are on the other side too. Compare with another time, or with another search.</Empty>;
  const sides = [["Chosen", chosen], ["Others", others]] as const;
  return (
    <>
      <Figures
        items={sides.map(([label, side]) => ({
          label,
          value: plural(side.traces, "trace"),
          note: `${side.sampled < side.traces ? `${plural(side.sampled, "trace")} of them read, by chance; ` : ""}half took over ${ms(side.p50_ms)}, one of twenty over ${ms(side.p95_ms)}`,
        }))}
      />
      <Section title="More frequent among the chosen">
        {found.contrasts.length > 0 ? <Contrasts rows={found.contrasts} tested={found.tested} /> : <p className="faint">No attribute, service or operation is more frequent among them.</p>}
      </Section>
      <Section title="Took more time itself">
        {found.growths.length > 0 ? <Growths rows={found.growths} slower={(chosen.mean_ms ?? 0) - (others.mean_ms ?? 0)} /> : <p className="faint">No operation took more time in the chosen traces.</p>}
      </Section>
    </>
  );
}

function Contrasts({ rows, tested }: { rows: readonly Contrast[]; tested: number }) {
  const { shown, more } = useFirst(rows);
  return (
    <>
      <table className={`${table.table} ${classes.contrasts}`}>
        <thead>
          <tr>
            <th>What</th>
            <th className={classes.shares}>Share of each side</th>
            <th className={classes.lift} data-align="right" data-tip="How many times as frequent">Lift</th>
            <th className={classes.sure}>By chance?</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={`${row.name}=${row.value}`}>
              <td data-tip={`${row.name}=${row.value}`}>
                <Go to={pathOf(row)} className={table.rowLink ?? ""} data-row>
                  <span className="dim">{row.name}</span> {row.value || "(empty)"}
                </Go>
              </td>
              <td className={classes.shares}>
                <Bar side="chosen" share={row.chosen_share} count={row.chosen} />
                <Bar side="others" share={row.others_share} count={row.others} />
              </td>
              <td className={classes.lift} data-align="right">{row.lift === null ? "only here" : `${formatNumber(row.lift)}×`}</td>
              <td className={classes.sure} data-tip={`Chance alone does this in ${formatPercent(100 * row.p_value)} of comparisons (Fisher's exact test); ${plural(tested, "value")} were weighed.`}>
                {row.is_significant ? <span className={classes.significant}><IconCircleCheck size={14} aria-hidden /> significant</span> : <span className="faint"><IconDice3 size={14} aria-hidden /> may be chance</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

/** The strongest of the rows, and the button that shows the others. */
function useFirst<T>(rows: readonly T[]): { shown: readonly T[]; more: ReactNode } {
  const [isWhole, setWhole] = useState(false);
  if (isWhole || rows.length <= FIRST) return { shown: rows, more: null };
  const more = (
    <Button variant="default" size="compact-xs" className={classes.more} onClick={() => setWhole(true)}>
      Show all {formatCount(rows.length)}
    </Button>
  );
  return { shown: rows.slice(0, FIRST), more };
}

function Bar({ side, share, count }: { side: "chosen" | "others"; share: number; count: number }) {
  return (
    <span className={classes.bar} data-tip={`${plural(count, "sampled trace")} of the ${side}`}>
      <i data-side={side} style={{ width: `${Math.min(share, 1) * 100}%` }} aria-hidden />
      <span className="tabular"><span className="visually-hidden">{side} </span>{formatPercent(100 * share)}</span>
    </span>
  );
}

function Growths({ rows, slower }: { rows: readonly Growth[]; slower: number }) {
  const { shown, more } = useFirst(rows);
  const most = Math.max(...rows.map((row) => row.chosen_self_ms), 1e-9);
  return (
    <>
      <p className={`faint ${classes.means}`}>
        Means per trace, without the time of calls below. {slower > 0 ? `The chosen took ${ms(slower)} longer on average.` : "The chosen did not take longer on average."}
      </p>
      <table className={`${table.table} ${classes.contrasts}`}>
        <thead>
          <tr>
            <th>Operation</th>
            <th className={classes.shares}>Time itself on each side</th>
            <th className={classes.lift} data-align="right">More</th>
            <th className={classes.sure} data-tip="Spans of this operation per trace: chosen, others">Calls</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={`${row.service}/${row.operation}`}>
              <td>
                <OperationName name={row.operation} service={row.service}>
                  {(name) => <Go to={searchPath({ service: row.service, operation: row.operation })} className={table.rowLink ?? ""} data-row>{name}</Go>}
                </OperationName>
              </td>
              <td className={classes.shares}>
                {(["chosen", "others"] as const).map((side) => {
                  const own = side === "chosen" ? row.chosen_self_ms : row.others_self_ms;
                  return (
                    <span key={side} className={classes.bar}>
                      <i data-side={side} style={{ width: `${(own / most) * 100}%` }} aria-hidden />
                      <span className="tabular"><span className="visually-hidden">{side} </span>{ms(own)}</span>
                    </span>
                  );
                })}
              </td>
              <td className={classes.lift} data-align="right">{ms(row.growth_ms)}</td>
              <td className={`${classes.sure} tabular`}>{formatNumber(row.chosen_calls)} <span className="faint">against {formatNumber(row.others_calls)}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

const ms = (value: number | null): string => formatDuration(value === null ? null : value / 1000);

/** The search that finds what a row is about; the value may be borne by another span than the one that was chosen. */
function pathOf({ name, value }: Contrast): string {
  if (name === "service") return searchPath({ service: value });
  if (name === "operation" || name === "failed operation") {
    const [service = "", ...operation] = value.split(": ");
    return searchPath({ service, operation: operation.join(": "), ...(name === "operation" ? {} : { status: "error" as const }) });
  }
  return searchPath({ attributes: addAttribute("", name, value) });
}
