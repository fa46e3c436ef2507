// The patterns that the lines of the query follow, with how often each came.
import { ActionIcon } from "@mantine/core";
import { IconFilterMinus, IconFilterPlus, IconTemplate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { patternsQuery } from "@/api/logQueries";
import { Sparkline } from "@/components/Sparkline";
import { Empty, problemOf, QueryView, SkeletonRows } from "@/components/states";
import { formatCount, formatShare } from "@/lib/format";
import { matchersOf, quote, writeSelector } from "@/lib/logql";
import { joinPatterns, levelOf, withoutColors } from "@/lib/logs";
import { useTimeRange } from "@/state/timerange";
import { LevelMark } from "./LevelMark";
import classes from "./Logs.module.css";

const SHOWN = 200;

export function PatternsView({ expr, onRun }: { expr: string; onRun: (text: string) => void }) {
  const { range } = useTimeRange();
  const selector = writeSelector(matchersOf(expr));
  const patterns = useQuery(patternsQuery(selector, range));
  if (patterns.isError && problemOf(patterns.error).status === 404) return <None>This server does not mine patterns of logs.</None>;
  return (
    <QueryView query={patterns} skeleton={<SkeletonRows rows={10} height={28} />}>
      {(found) => {
        const rows = joinPatterns(found);
        const all = rows.reduce((sum, { count }) => sum + count, 0);
        if (rows.length === 0) return <None>No patterns of these streams in this window: they are mined as lines come in.</None>;
        return (
          <>
            {withoutSpace(selector) !== withoutSpace(expr) && (
              <p className="faint small">
                Patterns are of all lines of <code>{selector}</code>: the rest of the query does not narrow them.
              </p>
            )}
            <ol className={classes.patterns}>
              {rows.slice(0, SHOWN).map(({ pattern, level, values, count }) => (
                <li key={`${level}/${pattern}`} data-row tabIndex={0}>
                  <span className={classes.count}>{formatCount(count)}</span>
                  <span className={classes.part}>{formatShare(count, all)}</span>
                  <Sparkline values={values} label="Lines of the pattern over time" />
                  {level && <LevelMark level={levelOf(level)} />}
                  <code className={classes.pattern}>{withoutColors(pattern)}</code>
                  <span className={classes.patternWays}>
                    <ActionIcon size="sm" aria-label="Show only this pattern" data-tip="Only these" onClick={() => onRun(`${expr.trim()} |> ${quote(pattern)}`)}>
                      <IconFilterPlus size={14} />
                    </ActionIcon>
                    <ActionIcon size="sm" aria-label="Hide this pattern" data-tip="Without these" onClick={() => onRun(`${expr.trim()} !> ${quote(pattern)}`)}>
                      <IconFilterMinus size={14} />
                    </ActionIcon>
                  </span>
                </li>
              ))}
            </ol>
          </>
        );
      }}
    </QueryView>
  );
}

const withoutSpace = (text: string): string => text.replace(/\s/g, "");

function None({ children }: { children: string }) {
  return (
    <Empty title="No patterns" icon={<IconTemplate size={32} stroke={1.4} />}>
      {children}
    </Empty>
  );
}
