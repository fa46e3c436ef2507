// Lines of a log, oldest first: thousands of them, only those in sight drawn. Follows the end until somebody scrolls up.
import { Button } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { RunLogLine } from "@/api/types";
import { formatAbsolute, formatClock } from "@/lib/time";
import { useKeys } from "@/state/shortcuts";
import { useSight } from "@/state/virtual";
import classes from "./LogLines.module.css";

const LINE_PX = 20;
const NEAR_PX = 24;

interface LogLinesProps {
  lines: readonly RunLogLine[];
  isLive: boolean;
  onChoose?: (step: string) => void;
}

export function LogLines({ lines, isLive, onChoose }: LogLinesProps) {
  const area = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(isLive);
  const sight = useSight(area, lines.length, LINE_PX);
  const follow = (): void => {
    setFollowing(true);
    area.current?.scrollTo({ top: area.current.scrollHeight });
  };
  useKeys({ l: follow });
  useLayoutEffect(() => {
    if (isFollowing && isLive) area.current?.scrollTo({ top: area.current.scrollHeight });
  }, [lines.length, isFollowing, isLive]);
  useEffect(() => {
    const element = area.current;
    const onScroll = (): void => {
      if (element) setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX);
    };
    element?.addEventListener("scroll", onScroll, { passive: true });
    return () => element?.removeEventListener("scroll", onScroll);
  }, []);
  return (
    <div className={classes.frame}>
      <div ref={area} className={classes.area} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        <div className={classes.lines} style={{ height: lines.length * LINE_PX }}>
          {lines.slice(sight.from, sight.to).map((line, index) => (
            <div key={line.seq} className={classes.line} data-level={levelOf(line)} style={{ transform: `translateY(${(sight.from + index) * LINE_PX}px)` }}>
              <time dateTime={line.at} className={classes.time} data-tip={formatAbsolute(new Date(line.at))}>
                {formatClock(new Date(line.at))}
              </time>
              {onChoose && <StepName line={line} onChoose={onChoose} />}
              <span className={classes.level}>{levelOf(line)}</span>
              <span className={classes.text}>
                {line.text}
                <Fields line={line} />
              </span>
            </div>
          ))}
        </div>
      </div>
      {isLive && !isFollowing && (
        <Button className={classes.follow} size="compact-xs" radius="xl" leftSection={<IconArrowDown size={13} />} onClick={follow} data-tip="Follow  l">
          Follow
        </Button>
      )}
    </div>
  );
}

function StepName({ line, onChoose }: { line: RunLogLine; onChoose: (step: string) => void }) {
  if (!line.step) return <span className={classes.step} />;
  return (
    <button type="button" className={classes.step} onClick={() => onChoose(line.step ?? "")}>
      {line.step}
    </button>
  );
}

function Fields({ line }: { line: RunLogLine }) {
  const fields = Object.entries(line.fields).filter(([name]) => name !== "level");
  if (fields.length === 0) return null;
  return <span className={classes.fields}> {fields.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ")}</span>;
}

/** What is worth a word at the line: its level, or the stream that it came from. */
function levelOf(line: RunLogLine): string | undefined {
  const level = line.fields["level"];
  if (level === "warning" || level === "error" || level === "critical") return level;
  return line.stream === "stderr" ? "stderr" : undefined;
}
