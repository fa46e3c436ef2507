// One step back and forward again while a dashboard is changed: two buttons, and the keys that do it everywhere.
import { ActionIcon } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { MOD } from "@/components/shell/TopBar";
import { plural } from "@/lib/format";
import { isTaken } from "@/state/shortcuts";
import type { Draft } from "./draft";

export function Steps({ undo, redo, past, future }: Draft["steps"]) {
  const [said, say] = useState("");
  const back = (): void => {
    if (past === 0) return;
    undo();
    say(`Undone, ${plural(past - 1, "change")} left.`);
  };
  const forward = (): void => {
    if (future === 0) return;
    redo();
    say(`Redone, ${plural(past + 1, "change")} made.`);
  };
  useStepKeys(back, forward);
  // A button that has nothing to do keeps the focus.
  return (
    <>
      <ActionIcon size={30} aria-label="Undo" data-tip={`Undo  ${MOD} Z`} aria-disabled={past === 0} data-disabled={past === 0 || undefined} onClick={back}>
        <IconArrowBackUp size={16} />
      </ActionIcon>
      <ActionIcon size={30} aria-label="Redo" data-tip={`Redo  ${MOD} Shift Z`} aria-disabled={future === 0} data-disabled={future === 0 || undefined} onClick={forward}>
        <IconArrowForwardUp size={16} />
      </ActionIcon>
      <span role="status" className="visually-hidden">
        {said}
      </span>
    </>
  );
}

/** In a field the keys are the field's own. */
function useStepKeys(back: () => void, forward: () => void): void {
  const latest = useRef({ back, forward });
  useEffect(() => {
    latest.current = { back, forward };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const key = event.key.toLowerCase();
      if (event.defaultPrevented || event.altKey || !(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key) || isTaken(event.target)) return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) latest.current.forward();
      else latest.current.back();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
