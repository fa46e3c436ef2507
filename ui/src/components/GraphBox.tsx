// What every box of a graph has in common: its look, and where arrows come in and go out.
import { Handle, Position } from "@xyflow/react";
import type { ReactNode } from "react";
import classes from "./GraphFrame.module.css";

/** The look of a box; of one with a single line of text. Neither drags the graph. */
export const BOX = `${classes.box} nodrag nopan`;
export const LINE_BOX = `${classes.box} ${classes.line} nodrag nopan`;
export const LINE_BOX_PX = { width: 176, height: 36 };

/** Arrows come in at the left and go out at the right; with `isUndone` also from below to what undoes it. */
export function GraphBox({ children, isUndone = false }: { children: ReactNode; isUndone?: boolean }) {
  return (
    <>
      <Handle type="target" position={Position.Left} className={classes.handle} />
      {isUndone && <Handle type="target" id="above" position={Position.Top} className={classes.handle} />}
      {children}
      <Handle type="source" position={Position.Right} className={classes.handle} />
      {isUndone && <Handle type="source" id="below" position={Position.Bottom} className={classes.handle} />}
    </>
  );
}
