// One panel: its frame, its state, and the picture of its kind. A failed panel says why and leaves the others alone.
import { Button } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { type ReactNode, useContext, useEffect, useState } from "react";
import type { DashboardPanel } from "@/api/types";
import { Markdown } from "@/components/Markdown";
import { Loading, problemOf, SkeletonBlock } from "@/components/states";
import { type Chosen, fillTitle, panelShows, panelUnit } from "@/lib/dashboards";
import { EagerContext } from "../printing";
import { type PictureProps, ShownContext, usePanelData } from "./data";
import { HeatPanel } from "./HeatPanel";
import { BarPanel, GaugePanel, StatPanel, TablePanel } from "./NumberPanels";
import { CurvePanel } from "./CurvePanel";
import { PanelActions } from "./PanelActions";
import { Warning } from "./Warning";
import classes from "./Panel.module.css";

export const ROW_PX = 40;
const HEAD_PX = 44;

const PICTURES: Record<string, (props: PictureProps) => ReactNode> = {
  timeseries: CurvePanel,
  stat: StatPanel,
  gauge: GaugePanel,
  bar: BarPanel,
  table: TablePanel,
  heatmap: HeatPanel,
};

interface PanelViewProps {
  panel: DashboardPanel;
  chosen: Chosen;
  /** While the dashboard is changed: what stands before and behind the title, at the corner, and in the frame's attributes. */
  tools?: ReactNode;
  handle?: ReactNode;
  grip?: ReactNode;
  frame?: Record<string, string | undefined>;
}

export function PanelView({ panel, chosen, tools, handle, grip, frame }: PanelViewProps) {
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  const [isSeen, setSeen] = useState(false);
  const isEager = useContext(EagerContext);
  useEffect(() => {
    if (entry?.isIntersecting || isEager) setSeen(true);
  }, [entry?.isIntersecting, isEager]);
  const data = usePanelData(panel, chosen, isSeen);
  const height = panel.height * ROW_PX;
  const text = typeof panel.options?.["text"] === "string" ? panel.options["text"] : "";
  const Picture = PICTURES[panel.kind];
  const title = fillTitle(panel.title, chosen);
  const shown = panelShows(panel, useContext(ShownContext));
  // Curves have no room for it beside each number; all else says it there.
  const unit = panel.kind === "timeseries" ? panelUnit(panel.unit).suffix : "";
  const isBare = !title && !tools && panel.kind === "text";
  return (
    <section ref={ref} className={classes.panel} style={{ gridColumn: `span ${panel.span}`, height }} aria-label={title || panel.kind} data-kind={panel.kind} {...frame}>
        <header className={classes.head} data-bare={isBare || undefined}>
          {handle}
          {!isBare && (
            <h3 className="truncate" data-tip={panel.description || undefined}>
              {title}
              {unit && <span className={classes.unit}>{unit}</span>}
            </h3>
          )}
          <Warning data={data} />
          {tools ?? <PanelActions panel={panel} title={title} text={fillTitle(text, chosen)} data={data} shown={shown} />}
        </header>
      <div className={classes.body}>
        {panel.kind === "text" ? (
          <div className={classes.text} tabIndex={0}><Markdown text={fillTitle(text, chosen)} /></div>
        ) : panel.queries.every((query) => query.expr.trim() === "") ? (
          <p className={classes.note}>This panel has no query yet.</p>
        ) : data.error && data.answers.every((one) => one.answer === undefined) ? (
          <PanelFault error={data.error} onRetry={data.retry} />
        ) : data.isLoading ? (
          <Loading isOn={isSeen}><SkeletonBlock height={height - HEAD_PX - 14} /></Loading>
        ) : (
          Picture && <Picture panel={panel} data={data} height={height - HEAD_PX - 12} />
        )}
      </div>
      {grip}
    </section>
  );
}

function PanelFault({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const problem = problemOf(error);
  return (
    <div className={classes.fault} role="alert" tabIndex={0}>
      <p>{problem.title}.</p>
      <p className="faint small">{problem.detail}</p>
      <Button variant="default" size="compact-xs" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
