// One line: when, how bad, what; a click opens everything that is known of it.
import { IconChevronRight } from "@tabler/icons-react";
import { memo, type ReactNode } from "react";
import { fieldOf, type LogLine, serviceOf, withoutColors } from "@/lib/logs";
import { formatAbsolute, formatClock } from "@/lib/time";
import { LevelMark } from "./LevelMark";
import { LineDetails } from "./LineDetails";
import type { LineActions } from "./lines";
import classes from "./Logs.module.css";

interface LineRowProps {
  line: LogLine;
  topPx: number;
  measure: (element: HTMLElement | null) => (() => void) | undefined;
  isOpen: boolean;
  isWrapped: boolean;
  hasDays: boolean;
  columns: readonly string[];
  /** The colour of its service, where the lines are of several. */
  serviceColor: string | undefined;
  words: readonly string[];
  onToggle: (key: string) => void;
  actions: LineActions;
}

export const LineRow = memo(function LineRow({ line, topPx, measure, isOpen, isWrapped, hasDays, columns, serviceColor, words, onToggle, actions }: LineRowProps) {
  const toggle = (): void => {
    // Whoever marks a part of the line wants to copy it.
    if (getSelection()?.isCollapsed === false) return;
    onToggle(line.key);
  };
  return (
    <div ref={measure} className={classes.line} data-key={line.key} data-level={line.level} data-open={isOpen || undefined} data-wrap={isWrapped || undefined} style={{ transform: `translateY(${topPx}px)` }}>
      <div className={classes.head} onClick={toggle}>
        <button
          type="button"
          data-row
          className={classes.opener}
          aria-expanded={isOpen}
          aria-label={`Details of the line at ${formatClock(new Date(line.ms))}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle(line.key);
          }}
        >
          <IconChevronRight size={13} aria-hidden />
        </button>
        <LineTime ms={line.ms} hasDays={hasDays} />
        <LevelMark level={line.level} />
        {serviceColor && (
          <span className={classes.sender} title={`service_name: ${serviceOf(line)}`}>
            <i style={{ background: serviceColor }} aria-hidden />
            <span className="truncate" dir="auto">{serviceOf(line)}</span>
          </span>
        )}
        {columns.map((name) => (
          <span key={name} className={classes.cell} title={`${name}: ${fieldOf(line, name) ?? "not there"}`}>
            {fieldOf(line, name) ?? "–"}
          </span>
        ))}
        <span className={classes.text}>{marked(line.text, words)}</span>
      </div>
      {isOpen && <LineDetails line={line} columns={columns} {...actions} />}
    </div>
  );
}, isSameRow);

/** The actions are made anew with every render of the page and do the same for the same line. */
function isSameRow({ actions: _, ...before }: LineRowProps, { actions, ...after }: LineRowProps): boolean {
  return !after.isOpen && (Object.keys(after) as (keyof typeof after)[]).every((name) => before[name] === after[name]) && Boolean(actions);
}

export function LineTime({ ms, hasDays }: { ms: number; hasDays: boolean }) {
  const at = new Date(ms);
  return (
    <time className={classes.time} dateTime={at.toISOString()} data-tip={formatAbsolute(at)}>
      {hasDays && <span className={classes.day}>{DAY.format(at)} </span>}
      {formatClock(at)}
      <span className={classes.millis}>.{String(ms % 1000).padStart(3, "0")}</span>
    </time>
  );
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

/** The text with the words that the query asks for made visible. */
export function marked(line: string, words: readonly string[]): ReactNode {
  const text = withoutColors(line);
  if (words.length === 0) return text;
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`);
  return text.split(pattern).map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part));
}
