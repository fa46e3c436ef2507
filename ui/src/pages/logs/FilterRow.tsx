// The filters that are wanted most, a click each: service and level. They are written into the query.
import { Checkbox, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { logLabelValuesQuery } from "@/api/logQueries";
import { formatCount } from "@/lib/format";
import { levelsOf, wantedValue, withLevels, withValue } from "@/lib/logql";
import { LEVELS } from "@/lib/logs";
import type { LogView } from "@/lib/logview";
import { LevelMark } from "./LevelMark";
import { type Counts, totalsOf } from "./volume";
import classes from "./Logs.module.css";

interface FilterRowProps {
  view: LogView;
  counts: Counts | undefined;
  onRun: (text: string) => void;
  onChange: (part: Partial<LogView>) => void;
}

export function FilterRow({ view, counts, onRun, onChange }: FilterRowProps) {
  const services = useQuery(logLabelValuesQuery("service_name")).data ?? [];
  const service = wantedValue(view.expr, "service_name");
  const chosen = levelsOf(view.expr);
  const totals = totalsOf(counts);
  const toggle = (level: string): void => onRun(withLevels(view.expr, chosen.includes(level) ? chosen.filter((one) => one !== level) : [...chosen, level]));
  return (
    <div className={classes.filters}>
      <Select
        className={classes.service}
        aria-label="Service"
        placeholder="Any service"
        searchable
        clearable
        clearButtonProps={{ "aria-label": "Any service" }}
        data={service && !services.includes(service) ? [service, ...services] : services}
        value={service || null}
        onChange={(name) => onRun(withValue(view.expr, "service_name", name ?? ""))}
        nothingFoundMessage="No such service sends logs"
      />
      <div className={classes.chips} role="group" aria-label="Levels">
        {LEVELS.map((level) => (
          <button key={level} type="button" className={classes.chip} aria-pressed={chosen.includes(level)} onClick={() => toggle(level)} data-none={chosen.length === 0 && counts !== undefined && !totals[level] ? true : undefined}>
            <LevelMark level={level} />
            {totals[level] ? <span className={classes.count}>{formatCount(totals[level])}</span> : null}
          </button>
        ))}
      </div>
      <div className={classes.options}>
        <Checkbox size="xs" label="Fields" checked={view.hasFields} onChange={(event) => onChange({ hasFields: event.currentTarget.checked })} />
        <Checkbox size="xs" label="Wrap" checked={view.isWrapped} onChange={(event) => onChange({ isWrapped: event.currentTarget.checked })} />
        <Checkbox size="xs" label="Oldest first" checked={!view.isNewestFirst} onChange={(event) => onChange({ isNewestFirst: !event.currentTarget.checked })} />
      </div>
    </div>
  );
}
