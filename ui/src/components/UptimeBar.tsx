// The last results side by side, newest right. Height repeats what colour says, so that nobody depends on colour:
// up is low and calm, degraded higher, down full, unknown a hollow dash.
import type { PointerEvent } from "react";
import type { RecentResult, Verdict } from "@/api/types";
import { countVerdicts, VERDICT_WORD, VERDICTS } from "@/lib/status";
import { formatDuration } from "@/lib/format";
import { formatAbsolute } from "@/lib/time";
import classes from "./UptimeBar.module.css";

const HEIGHT = 18;
const PITCH = 4;
const WIDTH = 3;
const HEIGHTS: Record<Verdict, number> = { up: 10, degraded: 14, down: 18, unknown: 4 };

type Cell = Pick<RecentResult, "at" | "verdict"> & { duration_s?: number | null };

export function UptimeBar({ results, slots = 40, label }: { results: readonly Cell[]; slots?: number; label: string }) {
  const shown = results.slice(-slots);
  const offset = slots - shown.length;
  const width = slots * PITCH;
  const onPointerMove = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const cell = shown[Math.floor(((event.clientX - box.left) / box.width) * slots) - offset];
    event.currentTarget.dataset["tip"] = cell ? describe(cell) : "No result yet";
  };
  return (
    <svg
      className={classes.bar}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      width={width}
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${summarise(shown)}`}
      data-tip=""
      data-tip-follow=""
      onPointerMove={onPointerMove}
    >
      {offset > 0 && <path className={classes.none} d={cells(Array.from({ length: offset }, (_, index) => index), 2)} />}
      {VERDICTS.map((verdict) => {
        const places = shown.flatMap((cell, index) => (cell.verdict === verdict ? [index + offset] : []));
        return places.length > 0 && <path key={verdict} className={classes[verdict]} d={cells(places, HEIGHTS[verdict])} />;
      })}
    </svg>
  );
}

function cells(places: readonly number[], height: number): string {
  const top = (HEIGHT - height) / 2;
  return places.map((place) => `M${place * PITCH} ${top}h${WIDTH}v${height}h-${WIDTH}z`).join("");
}

function describe(cell: Cell): string {
  const duration = cell.duration_s == null ? "" : ` in ${formatDuration(cell.duration_s)}`;
  return `${VERDICT_WORD[cell.verdict]}${duration}\n${formatAbsolute(new Date(cell.at))}`;
}

function summarise(shown: readonly Cell[]): string {
  if (shown.length === 0) return "no results yet";
  const counts = countVerdicts(shown.map((cell) => cell.verdict));
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => `${counts[verdict]} ${VERDICT_WORD[verdict].toLowerCase()}`);
  return `last ${shown.length} results, ${parts.join(", ")}`;
}
