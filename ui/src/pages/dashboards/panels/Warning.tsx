// What is missing from a panel that still shows something: a query that failed, or what the server warned of.
import { IconAlertTriangle } from "@tabler/icons-react";
import { problemOf } from "@/components/states";
import type { PanelData } from "./data";
import classes from "./Panel.module.css";

export function Warning({ data: { answers, error } }: { data: PanelData }) {
  const warnings = answers.flatMap(({ answer }) => answer?.warnings ?? []);
  const isPartial = error !== null && answers.some((one) => one.answer !== undefined);
  const texts = [...new Set([...(isPartial ? [faultText(error)] : []), ...warnings])];
  if (texts.length === 0) return null;
  const text = texts.slice(0, 4).join(" ");
  return (
    <span className={classes.warning} role="img" aria-label={text} data-tip={text} tabIndex={0}>
      <IconAlertTriangle size={14} aria-hidden />
    </span>
  );
}

function faultText(error: Error): string {
  const { title, detail } = problemOf(error);
  return `Not all queries were answered. ${title}. ${detail ?? ""}`.trim();
}
