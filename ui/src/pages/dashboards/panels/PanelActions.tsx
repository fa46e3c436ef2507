// What leads on from a panel: what moved in its time, its queries in Explore, and a place in an investigation.
import { ActionIcon } from "@mantine/core";
import { IconChartLine, IconTimelineEventExclamation } from "@tabler/icons-react";
import type { CellBody, DashboardPanel } from "@/api/types";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { Go } from "@/components/Go";
import { aroundPath, aroundRange, subjectOfAll } from "@/lib/around";
import { panelExploration } from "@/lib/dashboards";
import { explorationPath } from "@/lib/explore";
import { metricsOf } from "@/lib/promSeries";
import { resolveRange } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";
import type { PanelData } from "./data";
import classes from "./Panel.module.css";

interface ActionsProps {
  panel: DashboardPanel;
  /** With the values of the variables. */
  title: string;
  text: string;
  data: PanelData;
  shown: { exemplars: boolean; events: boolean };
}

export function PanelActions({ panel, title, text, data, shown }: ActionsProps) {
  const { range } = useTimeRange();
  const name = title || "this panel";
  const queries = data.answers.map((one) => one.expr);
  const isText = panel.kind === "text";
  const cell = (): CellBody => {
    if (isText) return { kind: "note", content: { text: title ? `### ${title}\n\n${text}` : text } };
    const { start, end } = resolveRange(range, new Date());
    return { kind: "metrics", content: { title, queries, start: start.toISOString(), end: end.toISOString() } };
  };
  const subject = subjectOfAll(data.answers.flatMap(({ answer }) => (answer ? metricsOf(answer.data) : [])), queries);
  return (
    <span className={classes.actions} data-screen>
      {!isText && queries.length > 0 && (
        <>
          <ActionIcon component={Go} to={aroundPath({ ...subject, ...aroundRange(range, new Date()) })} size="sm" aria-label={`What moved: ${name}`} data-tip="What moved in this time">
            <IconTimelineEventExclamation size={14} />
          </ActionIcon>
          <ActionIcon component={Go} to={explorationPath(panelExploration(panel, queries, shown))} size="sm" aria-label={`Explore ${name}`} data-tip="Open in Explore">
            <IconChartLine size={14} />
          </ActionIcon>
        </>
      )}
      <AddToInvestigation cell={cell} what={title ? `panel, ${title}` : "panel"} isIcon isDisabled={isText ? text.trim() === "" : queries.length === 0} />
    </span>
  );
}
