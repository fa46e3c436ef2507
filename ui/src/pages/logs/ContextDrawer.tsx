// What stood before and after a line in its stream.
import { Button, Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { fetchLines } from "@/api/logQueries";
import { Failed, QueryView, SkeletonRows } from "@/components/states";
import { streamSelector } from "@/lib/logql";
import { type LogLine, mergeLines, withoutColors } from "@/lib/logs";
import { LevelMark } from "./LevelMark";
import { LineTime } from "./LineRow";
import classes from "./Logs.module.css";

const STEP = 20;
const MOST = 1_000;
/** So far away from the line it is looked for others. */
const REACH_NS = 86_400_000_000_000n;

export function ContextDrawer({ line, onClose }: { line: LogLine | null; onClose: () => void }) {
  return (
    <Drawer opened={line !== null} onClose={onClose} position="right" size="min(1000px, 96vw)" title="Lines around it, in its stream" closeButtonProps={{ "aria-label": "Close" }}>
      {line && <Around key={line.key} line={line} />}
    </Drawer>
  );
}

function Around({ line }: { line: LogLine }) {
  const [before, setBefore] = useState(STEP);
  const [after, setAfter] = useState(STEP);
  const selector = streamSelector(line.labels);
  const earlier = useQuery({
    queryKey: ["logs", "before", line.key, before],
    queryFn: ({ signal }) => fetchLines({ expr: selector, startNs: line.ns - REACH_NS, endNs: line.ns + 1n, isNewestFirst: true, limit: before + 1 }, signal),
    placeholderData: (previous) => previous,
    staleTime: 60_000,
  });
  const later = useQuery({
    queryKey: ["logs", "after", line.key, after],
    queryFn: ({ signal }) => fetchLines({ expr: selector, startNs: line.ns, endNs: line.ns + REACH_NS, isNewestFirst: false, limit: after + 1 }, signal),
    placeholderData: (previous) => previous,
    staleTime: 60_000,
  });
  const mark = useRef<HTMLLIElement>(null);
  useStill(mark, !earlier.isPending && !later.isPending);
  // The same line may have other parsed fields here; its moment and text tell it.
  const isIt = (one: LogLine): boolean => one.ns === line.ns && one.text === line.text;
  return (
    <div className={classes.around}>
      <code className={classes.stream}>{selector}</code>
      <QueryView query={earlier} skeleton={<SkeletonRows rows={10} height={22} />}>
        {({ lines }) => {
          const all = mergeLines([lines, later.data?.lines ?? []], false);
          const at = all.findIndex(isIt);
          const hasDays = dayOf(all[0] ?? line) !== dayOf(all.at(-1) ?? line);
          return (
            <>
              <More count={lines.length} wanted={before} word="earlier" isFetching={earlier.isFetching} onMore={() => setBefore(Math.min(MOST, before + STEP * 2))} />
              <ol className={classes.aroundLines}>
                {all.map((one, place) => (
                  <li key={one.key} ref={place === at ? mark : undefined} data-it={isIt(one) || undefined} aria-current={isIt(one) || undefined}>
                    <LineTime ms={one.ms} hasDays={hasDays} />
                    <LevelMark level={one.level} />
                    <span className={classes.aroundText}>{withoutColors(one.text)}</span>
                  </li>
                ))}
              </ol>
              {later.isError ? <Failed error={later.error} onRetry={() => void later.refetch()} /> : <More count={later.data?.lines.length ?? 0} wanted={after} word="later" isFetching={later.isFetching} onMore={() => setAfter(Math.min(MOST, after + STEP * 2))} />}
            </>
          );
        }}
      </QueryView>
    </div>
  );
}

/** The line comes into sight, and stays where it is on the screen when lines come in before it. */
function useStill(mark: RefObject<HTMLElement | null>, isAllThere: boolean): void {
  const before = useRef<number | null>(null);
  useLayoutEffect(() => {
    const element = mark.current;
    if (!element || !isAllThere) return;
    const top = element.offsetTop;
    if (before.current === null) element.scrollIntoView({ block: "center" });
    else element.closest("[role=dialog]")?.scrollBy(0, top - before.current);
    before.current = top;
  });
}

function dayOf({ ms }: LogLine): string {
  return new Date(ms).toDateString();
}

function More({ count, wanted, word, isFetching, onMore }: { count: number; wanted: number; word: string; isFetching: boolean; onMore: () => void }) {
  if (count <= wanted && !isFetching) return <p className="faint small">No {word} lines within a day.</p>;
  return (
    <Button variant="default" size="compact-xs" onClick={onMore} loading={isFetching} disabled={wanted >= MOST}>
      More {word} lines
    </Button>
  );
}
