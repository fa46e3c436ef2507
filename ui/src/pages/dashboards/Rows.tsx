// The rows of a dashboard; a heading folds its row.
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { DashboardPanel, DashboardRow } from "@/api/types";
import type { Chosen } from "@/lib/dashboards";
import { plural } from "@/lib/format";
import type { Arranging } from "./arranging";
import { PanelView } from "./panels/PanelView";
import classes from "./Dashboard.module.css";

interface RowsProps {
  rows: readonly DashboardRow[];
  chosen: Chosen;
  /** While the dashboard is changed: what stands at a row's heading and in a panel's head. */
  rowTools?: (at: number) => ReactNode;
  panelTools?: (panel: DashboardPanel) => ReactNode;
  arranging?: Arranging;
}

export function Rows({ rows, chosen, rowTools, panelTools, arranging }: RowsProps) {
  return (
    <>
      {rows.map((row, at) => (
        <Row key={at} row={row} at={at} chosen={chosen} tools={rowTools?.(at)} panelTools={panelTools} arranging={arranging} />
      ))}
    </>
  );
}

interface RowProps {
  row: DashboardRow;
  at: number;
  chosen: Chosen;
  tools: ReactNode;
  panelTools: RowsProps["panelTools"];
  arranging: Arranging | undefined;
}

function Row({ row, at, chosen, tools, panelTools, arranging }: RowProps) {
  const [isFolded, setFolded] = useState(row.collapsed);
  return (
    <section className={classes.row} aria-label={row.title || "Panels"}>
      {tools ??
        (row.title && (
          <h2 className={classes.rowTitle}>
            <button type="button" aria-expanded={!isFolded} onClick={() => setFolded(!isFolded)}>
              {isFolded ? <IconChevronRight size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />}
              {row.title}
              {isFolded && <span className="faint small">{plural(row.panels.length, "panel")}</span>}
            </button>
          </h2>
        ))}
      {(!isFolded || tools !== undefined) && (
        <div className={classes.grid} data-grid={at} data-target={arranging?.isTarget(at) || undefined} data-bare={(arranging !== undefined && row.panels.length === 0) || undefined}>
          {row.panels.map((panel) => (
            <PanelView key={panel.id} panel={panel} chosen={chosen} tools={panelTools?.(panel)} handle={arranging?.handle(panel)} grip={arranging?.grip(panel)} {...(arranging ? { frame: arranging.frame(panel) } : {})} />
          ))}
          {arranging && row.panels.length === 0 && <p className="faint small">No panel yet: add one, or drag one here.</p>}
        </div>
      )}
    </section>
  );
}
