// What each query gives at the end of the time range, as rows: labels that differ are columns.
import { Button } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconDownload } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { HistogramValue, VectorSeries } from "@/api/prom";
import { Section } from "@/components/Page";
import { Empty, Loading, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { type Exploration, letterOf } from "@/lib/explore";
import { plural } from "@/lib/format";
import { seriesName, splitLabels, vectorOf } from "@/lib/promSeries";
import { saveFile } from "@/lib/saveFile";
import { seriesCsv, sortSeries } from "@/lib/seriesTable";
import type { QueryState } from "./QueryRow";
import { askedOf } from "./results";
import classes from "./Explore.module.css";

const ROWS = 100;
const COLUMNS = 6;

export function TableView({ exploration, states }: { exploration: Exploration; states: ReadonlyMap<number, QueryState> }) {
  const asked = askedOf(exploration);
  return (
    <>
      {asked.map(({ place, expr }) => {
        const state = states.get(place);
        const title = asked.length > 1 ? `${letterOf(place)}: ${expr}` : "Now";
        return (
          <Section key={place} title={<span className="truncate">{title}</span>} aside={state?.answer && <Aside series={vectorOf(state.answer.data)} />}>
            {state?.answer ? <Rows series={vectorOf(state.answer.data)} /> : state?.error ? <p className="faint">See the error at the query.</p> : <Loading><SkeletonRows rows={4} height={32} /></Loading>}
          </Section>
        );
      })}
    </>
  );
}

function Aside({ series }: { series: readonly VectorSeries[] }) {
  return (
    <>
      {plural(series.length, "row")}
      {series.length > 0 && (
        <Button ml="xs" size="compact-xs" variant="subtle" leftSection={<IconDownload size={14} />} onClick={() => saveFile("metrics.csv", "text/csv", seriesCsv(series))}>
          Save as CSV
        </Button>
      )}
    </>
  );
}

interface Sorting {
  by: string | null;
  isDown: boolean;
}

function Rows({ series }: { series: readonly VectorSeries[] }) {
  const [most, setMost] = useState(ROWS);
  const [sorting, setSorting] = useState<Sorting>({ by: null, isDown: true });
  const { shared, varying } = useMemo(() => splitLabels(series.map((one) => one.metric)), [series]);
  const sorted = useMemo(() => sorting.by === null ? series : sortSeries(series, sorting.by === VALUE ? null : sorting.by, sorting.isDown), [series, sorting]);
  if (series.length === 0) return <Empty isSmall title="Nothing now">The query is fine, and no series has a value at the end of the range. Choose an earlier one, or see the graph for when there were values.</Empty>;
  const columns = varying.slice(0, COLUMNS);
  const rest = varying.slice(COLUMNS);
  const sortBy = (by: string): void => setSorting((current) => ({ by, isDown: current.by === by ? !current.isDown : by === VALUE }));
  return (
    <>
      {Object.keys(shared).length > 0 && (
        <p className="faint small truncate" title={seriesName(shared)}>
          All have <code>{seriesName(shared)}</code>
        </p>
      )}
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Rows">
        <table className={`${table.table} ${table.plain} ${table.ended} ${classes.rows}`}>
          <thead>
            <tr>
              {columns.map((name) => (
                <Head key={name} name={name} sorting={sorting} onSort={sortBy} />
              ))}
              {rest.length > 0 && <th scope="col">more labels</th>}
              <Head name={VALUE} sorting={sorting} onSort={sortBy} isRight />
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, most).map((one) => (
              <tr key={seriesName(one.metric)}>
                {columns.map((name) => (
                  <td key={name} title={one.metric[name]}>{one.metric[name] ?? <span className="faint">–</span>}</td>
                ))}
                {rest.length > 0 && <td className="mono" title={seriesName(one.metric)}>{seriesName(Object.fromEntries(rest.filter((name) => one.metric[name] !== undefined).map((name) => [name, one.metric[name] ?? ""])))}</td>}
                <td data-align="right" className={classes.value}>{one.histogram ? <HistogramText value={one.histogram[1]} /> : one.value?.[1]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > most && (
        <Button variant="default" className={classes.more} onClick={() => setMost(most + 400)}>
          Show more of {sorted.length}
        </Button>
      )}
    </>
  );
}

const VALUE = "Value";

function Head({ name, sorting, onSort, isRight = false }: { name: string; sorting: Sorting; onSort: (name: string) => void; isRight?: boolean }) {
  const isActive = sorting.by === name;
  const text = name === "__name__" ? "metric" : name;
  return (
    <th scope="col" data-align={isRight ? "right" : undefined} aria-sort={isActive ? (sorting.isDown ? "descending" : "ascending") : undefined}>
      <button type="button" className={table.sort} data-active={isActive || undefined} onClick={() => onSort(name)}>
        {text}
        {isActive && (sorting.isDown ? <IconArrowDown size={12} aria-hidden /> : <IconArrowUp size={12} aria-hidden />)}
      </button>
    </th>
  );
}

function HistogramText({ value }: { value: HistogramValue }) {
  return (
    <span title={(value.buckets ?? []).map(([, low, high, count]) => `${low} to ${high}: ${count}`).join("\n")}>
      {value.count} observations, sum {value.sum}
    </span>
  );
}
