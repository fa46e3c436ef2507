// Everything that is known of a line, each field with what can be done with it; ways on to the trace and the service.
import { ActionIcon, Button } from "@mantine/core";
import { IconColumns3, IconFilterMinus, IconFilterPlus, IconListTree, IconRoute2, IconServer2, IconTimelineEvent } from "@tabler/icons-react";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { CopyButton } from "@/components/CopyButton";
import { Go, servicePath } from "@/components/Go";
import { aroundPath, subjectOf } from "@/lib/around";
import { fieldOf, fieldsOf, isoOf, type LineField, type LogLine, withoutColors } from "@/lib/logs";
import { shortTraceId } from "@/lib/traces/search";
import type { LineActions } from "./lines";
import classes from "./Logs.module.css";

export function LineDetails({ line, columns, onFilter, onColumn, onContext }: LineActions & { line: LogLine; columns: readonly string[] }) {
  const trace = fieldOf(line, "trace_id");
  const service = line.labels["service_name"];
  return (
    <div className={classes.details}>
      <div className={classes.ways}>
        <Button variant="default" size="compact-xs" leftSection={<IconListTree size={13} />} onClick={() => onContext(line)}>
          Lines around it
        </Button>
        {trace && (
          <Button component={Go} to={`/traces/${encodeURIComponent(trace)}`} variant="default" size="compact-xs" leftSection={<IconRoute2 size={13} />}>
            Trace {shortTraceId(trace)}
          </Button>
        )}
        {service && (
          <Button component={Go} to={servicePath(service)} variant="default" size="compact-xs" leftSection={<IconServer2 size={13} />}>
            <span className={classes.way}>Service {service}</span>
          </Button>
        )}
        <Button component={Go} to={aroundPath({ ...subjectOf(line.labels), at: isoOf(line.ns) })} variant="default" size="compact-xs" leftSection={<IconTimelineEvent size={13} />}>
          What moved then
        </Button>
        <AddToInvestigation cell={{ kind: "line", content: { line: { ns: String(line.ns), text: line.text, labels: line.labels } } }} what="line" isSmall />
        <CopyButton text={line.text} label="Copy the line" />
        <span className="faint">{isoOf(line.ns)}</span>
      </div>
      <pre className={classes.whole} tabIndex={0}>{withoutColors(line.text)}</pre>
      {fieldsOf(line).map(({ title, fields }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl className={classes.fieldList}>
            {fields.map((field) => (
              <Field key={field.name} field={field} isColumn={columns.includes(field.name)} onFilter={onFilter} onColumn={onColumn} />
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function Field({ field, isColumn, onFilter, onColumn }: Pick<LineActions, "onFilter" | "onColumn"> & { field: LineField; isColumn: boolean }) {
  const { name, value } = field;
  return (
    <div className={classes.field}>
      <dt title={name}>{name}</dt>
      <dd className={classes.fieldActions}>
        <ActionIcon size="sm" aria-label={`Filter for ${name} ${value}`} data-tip="Filter for" onClick={() => onFilter(field)}>
          <IconFilterPlus size={14} />
        </ActionIcon>
        <ActionIcon size="sm" aria-label={`Filter out ${name} ${value}`} data-tip="Filter out" onClick={() => onFilter({ ...field, isOut: true })}>
          <IconFilterMinus size={14} />
        </ActionIcon>
        <ActionIcon size="sm" aria-label={isColumn ? `Remove column ${name}` : `Show ${name} as column`} aria-pressed={isColumn} data-tip={isColumn ? "Remove the column" : "Show as column"} onClick={() => onColumn(name)}>
          <IconColumns3 size={14} />
        </ActionIcon>
      </dd>
      <dd className={classes.fieldValue}>{value}</dd>
    </div>
  );
}
