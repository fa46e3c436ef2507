// Where the time went: spans reached the same way are one block, as wide as the work in and below it. A click opens the
// block over the whole width.
import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { formatDuration, formatPercent, plural } from "@/lib/format";
import { foldTrace, layFlame } from "@/lib/traces/flame";
import type { Trace } from "@/lib/traces/model";
import classes from "./Waterfall.module.css";

const LEVEL_PX = 22;
/** Below this share of the width a block cannot be seen. */
const LEAST_SHARE = 0.0015;

export function FlameView({ trace, colors, onChoose }: { trace: Trace; colors: ReadonlyMap<string, string>; onChoose: (span: string) => void }) {
  const top = useMemo(() => foldTrace(trace), [trace]);
  const [focus, setFocus] = useState(top);
  const boxes = useMemo(() => layFlame(focus, LEAST_SHARE), [focus]);
  const levels = boxes.reduce((most, box) => Math.max(most, box.level), 0) + 1;
  return (
    <div>
      <p className={classes.flameTitle}>
        <span>
          {focus === top ? "All work" : `${focus.service}: ${focus.name}`}, {formatDuration(focus.totalUs / 1e6)} of {formatDuration(top.totalUs / 1e6)}; work that ran side by side counts in full.
        </span>
        {focus !== top && (
          <>
            <Button size="compact-xs" variant="default" onClick={() => setFocus(focus.parent ?? top)}>One level up</Button>
            <Button size="compact-xs" variant="default" onClick={() => onChoose(trace.ids[focus.row] ?? "")}>Show the span</Button>
          </>
        )}
      </p>
      <div className={classes.flame} style={{ height: levels * LEVEL_PX }}>
        {boxes.map(({ block, left, width, level }) => (
          <button
            key={block.id}
            type="button"
            data-row
            className={classes.block}
            data-top={block === top || undefined}
            style={{ left: `${left * 100}%`, width: `${width * 100}%`, top: level * LEVEL_PX, "--ink": block === top ? "var(--line-strong)" : colors.get(block.service) } as React.CSSProperties}
            data-tip={`${block === top ? "all" : `${block.service}: ${block.name}`}: ${formatDuration(block.totalUs / 1e6)} (${formatPercent((100 * block.totalUs) / (top.totalUs || 1))}), ${formatDuration(block.selfUs / 1e6)} itself, ${plural(block.count, "span")}${block.errors > 0 ? `, ${plural(block.errors, "error")}` : ""}`}
            onClick={() => setFocus(block)}
          >
            <span className="truncate">{block === top ? "all" : block.name}{block.count > 1 ? ` ×${block.count}` : ""}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
