// The global time range: presets that follow the clock, or a fixed window; a zoom on any chart writes it too.
import { ActionIcon, Button, Menu, TextInput, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCalendarTime, IconCheck, IconChevronDown, IconX } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { DEFAULT_PRESET, type Preset, PRESETS, resolveRange, type TimeRange } from "@/lib/timerange";
import { formatWindow, toLocalInput } from "@/lib/time";
import { useKeys } from "@/state/shortcuts";
import { useTimeRange } from "@/state/timerange";
import classes from "./TimeRangePicker.module.css";

export function TimeRangePicker() {
  const { range, setRange } = useTimeRange();
  const [isOpen, menu] = useDisclosure(false);
  useKeys({ t: menu.open });
  const choose = (next: TimeRange): void => {
    setRange(next);
    menu.close();
  };
  return (
    <div className={classes.picker}>
      <Menu opened={isOpen} onChange={(opened) => (opened ? menu.open() : menu.close())} position="bottom-end" width={260} trapFocus>
        <Menu.Target>
          <UnstyledButton className={classes.button} data-tip="Time range  t">
            <IconCalendarTime size={15} aria-hidden className={classes.icon} />
            <span className="visually-hidden">Time range: </span>
            <span className={classes.long}>{rangeLabel(range)}</span>
            <span className={classes.short}>{range.kind === "preset" ? range.preset : "custom"}</span>
            <IconChevronDown size={13} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(PRESETS) as Preset[]).map((preset) => {
            const isCurrent = range.kind === "preset" && range.preset === preset;
            return (
              <Menu.Item
                key={preset}
                onClick={() => choose({ kind: "preset", preset })}
                aria-current={isCurrent || undefined}
                rightSection={isCurrent ? <IconCheck size={14} /> : <span className="faint small">{preset}</span>}
              >
                {PRESETS[preset].label}
              </Menu.Item>
            );
          })}
          <Menu.Divider />
          <CustomRange range={range} onChoose={choose} />
        </Menu.Dropdown>
      </Menu>
      {range.kind === "fixed" && (
        <ActionIcon size={28} aria-label="Back to the last hour" data-tip="Back to the last hour" onClick={() => setRange({ kind: "preset", preset: DEFAULT_PRESET })}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </div>
  );
}

function CustomRange({ range, onChoose }: { range: TimeRange; onChoose: (range: TimeRange) => void }) {
  const initial = resolveRange(range, new Date());
  const [from, setFrom] = useState(toLocalInput(initial.start));
  const [to, setTo] = useState(toLocalInput(initial.end));
  const isValid = new Date(from).getTime() < new Date(to).getTime();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isValid) onChoose({ kind: "fixed", from: new Date(from), to: new Date(to) });
  };
  return (
    <form className={classes.custom} onSubmit={submit}>
      <TextInput type="datetime-local" label="From" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput type="datetime-local" label="To" value={to} onChange={(event) => setTo(event.currentTarget.value)} error={isValid ? undefined : "Must be later than the start"} />
      <Button type="submit" disabled={!isValid} fullWidth>
        Show this window
      </Button>
    </form>
  );
}

function rangeLabel(range: TimeRange): string {
  return range.kind === "preset" ? PRESETS[range.preset].label : formatWindow(range.from, range.to, new Date());
}
