// The labels and fields of the lines in the window, with what they are and the values that come most.
import { ActionIcon, TextInput } from "@mantine/core";
import { IconChevronRight, IconColumns3, IconFilterMinus, IconFilterPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { detectedLabelsQuery, fieldsQuery, rankQuery } from "@/api/logQueries";
import { QueryView, SkeletonRows } from "@/components/states";
import { formatCount, plural } from "@/lib/format";
import { type FieldFilter, type FieldKind, matchersOf, topValues, writeSelector } from "@/lib/logql";
import { spanSeconds } from "@/lib/timerange";
import { matchesText } from "@/lib/text";
import { useTimeRange } from "@/state/timerange";
import classes from "./Logs.module.css";

interface FieldsPanelProps {
  expr: string;
  columns: readonly string[];
  onFilter: (filter: FieldFilter) => void;
  onColumn: (name: string) => void;
}

interface Row {
  name: string;
  type: string;
  cardinality: number;
  kind: FieldKind;
  parser: string;
}

export function FieldsPanel({ expr, columns, onFilter, onColumn }: FieldsPanelProps) {
  const { range } = useTimeRange();
  const [text, setText] = useState("");
  const [open, setOpen] = useState("");
  const labels = useQuery(detectedLabelsQuery(writeSelector(matchersOf(expr)), range)).data ?? [];
  const fields = useQuery(fieldsQuery(expr, range));
  return (
    <aside className={classes.fields} aria-label="Fields">
      <TextInput aria-label="Find a field" placeholder="Find a field" value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <QueryView query={fields} skeleton={<SkeletonRows rows={8} height={26} />}>
        {(found) => {
          const rows: Row[] = [
            ...labels.map(({ label, cardinality }): Row => ({ name: label, type: "label", cardinality, kind: "label", parser: "" })),
            ...found.map(({ label, type, cardinality, parsers }): Row => ({ name: label, type, cardinality, kind: parsers?.length ? "parsed" : "metadata", parser: parsers?.[0] ?? "" })),
          ].filter(({ name }) => matchesText(text, [name]));
          if (rows.length === 0) return <p className="faint small">{text ? "No such field." : "The newest lines of this query show no fields."}</p>;
          return (
            <ul className={classes.fieldRows}>
              {rows.map((row) => {
                const key = `${row.kind}/${row.name}`;
                return (
                  <li key={key}>
                    <div className={classes.fieldRow}>
                      <button type="button" aria-expanded={open === key} onClick={() => setOpen(open === key ? "" : key)}>
                        <IconChevronRight size={12} aria-hidden />
                        <span className="truncate">{row.name}</span>
                        <span className="faint">{row.type}</span>
                        <span className={classes.count} data-tip={plural(row.cardinality, "value")}>{formatCount(row.cardinality)}</span>
                      </button>
                      <ActionIcon size="sm" aria-label={columns.includes(row.name) ? `Remove column ${row.name}` : `Show ${row.name} as column`} aria-pressed={columns.includes(row.name)} onClick={() => onColumn(row.name)}>
                        <IconColumns3 size={13} />
                      </ActionIcon>
                    </div>
                    {open === key && <TopValues expr={expr} row={row} onFilter={onFilter} />}
                  </li>
                );
              })}
            </ul>
          );
        }}
      </QueryView>
    </aside>
  );
}

function TopValues({ expr, row, onFilter }: { expr: string; row: Row; onFilter: (filter: FieldFilter) => void }) {
  const { range } = useTimeRange();
  const ranked = useQuery(rankQuery(topValues(expr, { name: row.name, parser: row.parser, spanS: spanSeconds(range) }), range));
  const { name, kind, parser } = row;
  return (
    <QueryView query={ranked} skeleton={<SkeletonRows rows={3} height={22} />}>
      {(rows) => {
        const most = rows[0]?.count ?? 1;
        return (
          <ul className={classes.values}>
            {rows.map(({ metric, count }) => {
              const value = metric[name] ?? "";
              return (
                <li key={value}>
                  <span className={classes.share} style={{ width: `${(100 * count) / most}%` }} aria-hidden />
                  <span className={`${classes.value} truncate`} title={value}>{value}</span>
                  <span className={classes.count}>{formatCount(count)}</span>
                  <ActionIcon size="xs" aria-label={`Filter for ${name} ${value}`} onClick={() => onFilter({ name, value, kind, parser })}>
                    <IconFilterPlus size={13} />
                  </ActionIcon>
                  <ActionIcon size="xs" aria-label={`Filter out ${name} ${value}`} onClick={() => onFilter({ name, value, kind, parser, isOut: true })}>
                    <IconFilterMinus size={13} />
                  </ActionIcon>
                </li>
              );
            })}
            {rows.length === 0 && <li className="faint">No values in this window.</li>}
          </ul>
        );
      }}
    </QueryView>
  );
}
