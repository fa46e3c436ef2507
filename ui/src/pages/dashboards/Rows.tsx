// The rows of a dashboard; a heading folds its row.
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { DashboardPanel, DashboardRow } from "@/api/types";
import type { Chosen } from "@/lib/dashboards";
import { plural } from "@/lib/format";
import { PanelView } from "./panels/PanelView";
import classes from "./Dashboard.module.css";

interface RowsProps {
  rows: readonly DashboardRow[];
  chosen: Chosen;
  /** While the dashboard is changed: what stands at a row's heading and in a panel's head. */
  rowTools?: (at: number) => ReactNode;
  panelTools?: (panel: DashboardPanel) => ReactNode;
}

export function Rows({ rows, chosen, rowTools, panelTools }: RowsProps) {
  return (
    <>
      {rows.map((row, at) => (
        <Row key={`${at}/${row.title}`} row={row} chosen={chosen} tools={rowTools?.(at)} panelTools={panelTools} />
      ))}
    </>
  );
}

function Row({ row, chosen, tools, panelTools }: { row: DashboardRow; chosen: Chosen; tools: ReactNode; panelTools: RowsProps["panelTools"] }) {
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
        <div className={classes.grid}>
          {row.panels.map((panel) => (
            <PanelView key={panel.id} panel={panel} chosen={chosen} tools={panelTools?.(panel)} />
          ))}
        </div>
      )}
    </section>
  );
}
