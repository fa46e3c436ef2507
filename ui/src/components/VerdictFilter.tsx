// One chip per verdict with its count; several may be pressed. None pressed means all.
import { UnstyledButton } from "@mantine/core";
import type { Verdict } from "@/api/types";
import { VERDICT_WORD, VERDICTS } from "@/lib/status";
import { StatusIcon } from "./StatusMark";
import classes from "./VerdictFilter.module.css";

interface VerdictFilterProps {
  counts: Record<Verdict, number>;
  value: readonly string[];
  onChange: (value: string[]) => void;
}

export function VerdictFilter({ counts, value, onChange }: VerdictFilterProps) {
  const toggle = (verdict: Verdict): void => onChange(value.includes(verdict) ? value.filter((one) => one !== verdict) : [...value, verdict]);
  return (
    <div className={classes.chips} role="group" aria-label="Filter by status">
      {VERDICTS.map((verdict) => (
        <UnstyledButton
          key={verdict}
          className={classes.chip}
          aria-pressed={value.includes(verdict)}
          data-none={counts[verdict] === 0 || undefined}
          onClick={() => toggle(verdict)}
        >
          <StatusIcon verdict={verdict} size={14} />
          <span className={classes.word}>{VERDICT_WORD[verdict]}</span>
          <span className={classes.count}>{counts[verdict]}</span>
        </UnstyledButton>
      ))}
    </div>
  );
}
