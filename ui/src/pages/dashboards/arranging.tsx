// Panels are arranged by dragging or by arrow keys: a handle moves one, a grip at its corner changes its size.
import { IconGripVertical } from "@tabler/icons-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import type { DashboardDocument, DashboardPanel } from "@/api/types";
import { COLUMNS, movePanel, movePanelToRow, placePanel, placeText, resizePanel } from "@/lib/dashboards";
import { ROW_PX } from "./panels/PanelView";
import classes from "./Arranging.module.css";

const GAP_PX = 12;
const WIDE = 0.9;
const EDGE_PX = 70;
const SCROLL_PX = 18;

interface Drop {
  row: number;
  /** Before this panel, or after it; none in a row without panels, and behind the last one. */
  panel: string | null;
  isAfter: boolean;
  /** Whether the panel takes the whole width: then above and below count, not left and right. */
  isWide: boolean;
}

export interface Arranging {
  /** What a panel's frame says of itself, so that it is found under the pointer. */
  frame: (panel: DashboardPanel) => Record<string, string | undefined>;
  handle: (panel: DashboardPanel) => ReactNode;
  grip: (panel: DashboardPanel) => ReactNode;
  isTarget: (row: number) => boolean;
  /** For those who hear the page. */
  said: string;
}

export function useArranging(document: DashboardDocument, change: (document: DashboardDocument, group?: string) => void): Arranging {
  const [dragged, setDragged] = useState<string | null>(null);
  const [drop, setDrop] = useState<Drop | null>(null);
  const [said, say] = useState("");
  const before = useRef<{ document: DashboardDocument; x: number; y: number; panel: DashboardPanel; column: number } | null>(null);

  const apply = (next: DashboardDocument, id: string, what: "move" | "size"): void => {
    if (next === document) return;
    change(next, `${what} ${id}`);
    say(placeText(next, id, what));
    // A panel that changes its row is another element afterwards.
    requestAnimationFrame(() => window.document.querySelector<HTMLElement>(`[data-panel="${CSS.escape(id)}"] [data-arrange="${what}"]`)?.focus());
  };
  const end = (): void => {
    setDragged(null);
    setDrop(null);
    before.current = null;
  };

  const moveKeys = (event: KeyboardEvent, { id }: DashboardPanel): void => {
    if (event.key === "Escape") return end();
    const next = { ArrowLeft: () => movePanel(document, id, -1), ArrowRight: () => movePanel(document, id, 1), ArrowUp: () => movePanelToRow(document, id, -1), ArrowDown: () => movePanelToRow(document, id, 1) }[event.key];
    if (!next) return;
    event.preventDefault();
    apply(next(), id, "move");
  };
  const sizeKeys = (event: KeyboardEvent, { id, span, height }: DashboardPanel): void => {
    if (event.key === "Escape" && before.current) {
      change(before.current.document);
      return end();
    }
    const size = { ArrowLeft: { span: span - 1 }, ArrowRight: { span: span + 1 }, ArrowUp: { height: height - 1 }, ArrowDown: { height: height + 1 } }[event.key];
    if (!size) return;
    event.preventDefault();
    apply(resizePanel(document, id, size), id, "size");
  };

  const handle = (panel: DashboardPanel): ReactNode => (
    <button
      type="button"
      className={classes.handle}
      data-arrange="move"
      aria-label={`Move ${panel.title || "panel"}`}
      aria-roledescription="draggable, arrow keys move it"
      data-tip={dragged ? undefined : "Drag, or press arrow keys"}
      onKeyDown={(event) => moveKeys(event, panel)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragged(panel.id);
      }}
      onPointerMove={(event) => {
        if (dragged !== panel.id) return;
        scrollAtEdge(event);
        setDrop(dropAt(event, panel.id));
      }}
      onPointerUp={() => {
        if (dragged === panel.id && drop) apply(dropped(document, panel.id, drop), panel.id, "move");
        end();
      }}
      onPointerCancel={end}
    >
      <IconGripVertical size={14} aria-hidden />
    </button>
  );

  const grip = (panel: DashboardPanel): ReactNode => (
    <button
      type="button"
      className={classes.grip}
      data-arrange="size"
      aria-label={`Resize ${panel.title || "panel"}`}
      aria-roledescription="draggable, arrow keys change width and height"
      onKeyDown={(event) => sizeKeys(event, panel)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        before.current = { document, panel, x: event.clientX, y: event.clientY, column: columnWidth(event.currentTarget, panel) };
      }}
      onPointerMove={(event) => {
        const from = before.current;
        if (!from) return;
        const span = from.panel.span + (from.column > 0 ? Math.round((event.clientX - from.x) / from.column) : 0);
        const next = resizePanel(document, panel.id, { span, height: from.panel.height + Math.round((event.clientY - from.y) / ROW_PX) });
        if (next !== document) change(next, `size ${panel.id}`);
      }}
      onPointerUp={() => {
        if (before.current) say(placeText(document, panel.id, "size"));
        end();
      }}
      onPointerCancel={end}
    />
  );

  return {
    frame: ({ id }) => ({ "data-panel": id, "data-dragged": id === dragged ? "" : undefined, "data-drop": drop?.panel === id ? sideOf(drop) : undefined }),
    handle,
    grip,
    isTarget: (row) => drop?.row === row && drop.panel === null,
    said,
  };
}

function dropAt({ clientX, clientY }: PointerEvent, dragged: string): Drop | null {
  const under = window.document.elementFromPoint(clientX, clientY);
  const grid = under?.closest<HTMLElement>("[data-grid]");
  if (!grid) return null;
  const row = Number(grid.dataset["grid"]);
  const over = under?.closest<HTMLElement>("[data-panel]");
  const id = over?.dataset["panel"];
  if (!over || id === undefined) return { row, panel: null, isAfter: true, isWide: true };
  if (id === dragged) return null;
  const { left, top, width, height } = over.getBoundingClientRect();
  const isWide = width > grid.getBoundingClientRect().width * WIDE;
  return { row, panel: id, isAfter: isWide ? clientY > top + height / 2 : clientX > left + width / 2, isWide };
}

function sideOf({ isAfter, isWide }: Drop): string {
  return isWide ? (isAfter ? "below" : "above") : isAfter ? "after" : "before";
}

function dropped(document: DashboardDocument, id: string, { row, panel, isAfter }: Drop): DashboardDocument {
  if (panel === null) return placePanel(document, id, row, document.rows[row]?.panels.filter((one) => one.id !== id).length ?? 0);
  const rest = document.rows[row]?.panels.filter((one) => one.id !== id) ?? [];
  return placePanel(document, id, row, rest.findIndex((one) => one.id === panel) + (isAfter ? 1 : 0));
}

/** Zero where all panels are as wide as the page: their width is not what is seen. */
function columnWidth(grip: HTMLElement, panel: DashboardPanel): number {
  const grid = grip.closest<HTMLElement>("[data-grid]")?.getBoundingClientRect().width ?? 0;
  const own = grip.closest<HTMLElement>("[data-panel]")?.getBoundingClientRect().width ?? 0;
  const column = (grid + GAP_PX) / COLUMNS;
  return Math.abs(own + GAP_PX - column * panel.span) < column / 2 ? column : 0;
}

function scrollAtEdge({ clientY }: PointerEvent): void {
  const scroller = window.document.scrollingElement;
  if (clientY < EDGE_PX) scroller?.scrollBy(0, -SCROLL_PX);
  else if (clientY > window.innerHeight - EDGE_PX) scroller?.scrollBy(0, SCROLL_PX);
}

