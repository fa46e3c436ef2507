// The deploys among the marks of a chart, as buttons at its top: press one, or its line, and it says what was deployed, when
// and by whom, with the ways on from there. One stop for the Tab key; arrows go from deploy to deploy.
import { Popover } from "@mantine/core";
import { type KeyboardEvent, useRef } from "react";
import { deploysOf, type MarkCluster } from "@/lib/marks";
import { DeployCard } from "./DeployCard";
import classes from "./DeployMarks.module.css";

interface DeployMarksProps {
  clusters: readonly MarkCluster[];
  /** The event whose card is open. */
  opened: number | null;
  onOpen: (seq: number | null) => void;
  /** Where the chart draws no lines itself: how long they are. */
  lineHeight?: number;
}

export function DeployMarks({ clusters, opened, onOpen, lineHeight = 0 }: DeployMarksProps) {
  const group = useRef<HTMLDivElement>(null);
  const spots = clusters.flatMap((cluster) => {
    const [first, ...more] = deploysOf(cluster);
    return first ? [{ x: cluster.x, first, deploys: [first, ...more], others: cluster.marks.length - more.length - 1 }] : [];
  });
  if (spots.length === 0) return null;
  const go = (event: KeyboardEvent<HTMLButtonElement>, at: number): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && group.current?.querySelectorAll<HTMLButtonElement>(`.${classes["spot"]}`)[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <div ref={group} className={classes.spots} role="group" aria-label="Deploys">
      {spots.map(({ x, first, deploys, others }, at) => (
        <Popover key={first.seq} opened={opened === first.seq} onChange={(isOpen) => onOpen(isOpen ? first.seq : null)} position="bottom" shadow="md" width={300} trapFocus returnFocus withinPortal>
          <Popover.Target>
            <button
              type="button"
              className={classes.spot}
              style={{ left: x }}
              tabIndex={at === 0 ? 0 : -1}
              data-line={lineHeight > 0 || undefined}
              aria-label={deploys.map((deploy) => deploy.text).join("; ")}
              data-tip={lineHeight > 0 && opened !== first.seq ? deploys.map((deploy) => deploy.text).join("; ") : undefined}
              onClick={() => onOpen(opened === first.seq ? null : first.seq)}
              onKeyDown={(event) => go(event, at)}
              onPointerDown={(event) => event.stopPropagation()}
            >
              {lineHeight > 0 && <i className={classes.line} style={{ height: lineHeight }} />}
            </button>
          </Popover.Target>
          <Popover.Dropdown className={classes.card} aria-label="Deploy">
            <DeployCard events={deploys.map((deploy) => deploy.event)} others={others} />
          </Popover.Dropdown>
        </Popover>
      ))}
    </div>
  );
}
