// One chip per state with its live count; several may be pressed. None pressed means all.
import { UnstyledButton } from "@mantine/core";
import type { RunState } from "@/api/types";
import { StateIcon } from "@/components/StateMark";
import chips from "@/components/VerdictFilter.module.css";
import { formatCount } from "@/lib/format";
import { RUN_STATES, STATE_WORD } from "@/lib/runs";

interface StateFilterProps {
  /** Null until the server has said. It does not count the succeeded ones: they have no end. */
  counts: Readonly<Record<string, number>> | null;
  value: readonly RunState[];
  onChange: (value: RunState[]) => void;
}

export function StateFilter({ counts, value, onChange }: StateFilterProps) {
  const toggle = (state: RunState): void => onChange(value.includes(state) ? value.filter((one) => one !== state) : [...value, state]);
  const count = (state: RunState): number | null => (counts === null ? null : (counts[state] ?? (state === "succeeded" ? null : 0)));
  return (
    <div className={chips.chips} role="group" aria-label="Filter by state">
      {RUN_STATES.map((state) => (
        <UnstyledButton key={state} className={chips.chip} aria-pressed={value.includes(state)} data-none={(counts && count(state) === 0) || undefined} onClick={() => toggle(state)}>
          <StateIcon state={state} size={14} />
          <span>{STATE_WORD[state]}</span>
          {count(state) !== null && <span className={`${chips.count} tabular`}>{formatCount(count(state) ?? 0)}</span>}
        </UnstyledButton>
      ))}
    </div>
  );
}
