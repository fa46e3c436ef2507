// Everything within reach of one key: pages, services, checks and actions, found by typing parts of their names.
import { Modal } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import classes from "./CommandPalette.module.css";
import { type EntryGroup, findEntries, useEntries } from "./paletteEntries";

interface CommandPaletteProps {
  isOpen: boolean;
  onOpen: () => void;
  onClose: () => void;
  onHelp: () => void;
}

export function CommandPalette({ isOpen, onOpen, onClose, onHelp }: CommandPaletteProps) {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (isOpen) onClose();
      else onOpen();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [isOpen, onOpen, onClose]);
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      yOffset="12vh"
      size={560}
      padding={0}
      radius="md"
      transitionProps={{ duration: 90 }}
      attributes={{ content: { "aria-label": "Search and commands" } }}
    >
      <Palette onClose={onClose} onHelp={onHelp} />
    </Modal>
  );
}

function Palette({ onClose, onHelp }: Pick<CommandPaletteProps, "onClose" | "onHelp">) {
  const [query, setQuery] = useState("");
  const [place, setPlace] = useState(0);
  const groups = findEntries(useEntries(onHelp), query);
  const entries = groups.flatMap((group) => group.entries);
  const chosen = Math.min(place, entries.length - 1);
  const id = useId();
  const run = (index: number): void => {
    const entry = entries[index];
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While a word is being composed, Enter and the arrows belong to the input method.
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setPlace((chosen + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className={classes.search}>
        <IconSearch size={18} stroke={1.6} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-label="Search"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder="Go to a service, a check, a workflow, a page, or run an action"
          value={query}
          onChange={(event) => {
            setQuery(event.currentTarget.value);
            setPlace(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <Options id={id} groups={groups} chosen={chosen} onPoint={setPlace} onRun={run} />
    </>
  );
}

interface OptionsProps {
  id: string;
  groups: readonly EntryGroup[];
  chosen: number;
  onPoint: (index: number) => void;
  onRun: (index: number) => void;
}

function Options({ id, groups, chosen, onPoint, onRun }: OptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  let index = -1;
  return (
    <div id={id} ref={list} role="listbox" aria-label="Results" className={classes.list}>
      {groups.map(({ label, entries }) => (
        <div key={label} role="group" aria-label={label}>
          <div className={classes.group} aria-hidden>
            {label}
          </div>
          {entries.map((entry) => {
            index += 1;
            const mine = index;
            return (
              <div key={entry.id} id={`${id}-${mine}`} role="option" aria-selected={mine === chosen} className={classes.action} onPointerMove={() => onPoint(mine)} onClick={() => onRun(mine)}>
                <span className={classes.icon}>{entry.icon}</span>
                <span className={classes.label}>{entry.label}</span>
                {entry.context && <span className={classes.context}>{entry.context}</span>}
              </div>
            );
          })}
        </div>
      ))}
      {groups.length === 0 && <div className={classes.none}>Nothing is called that. Try part of a name.</div>}
    </div>
  );
}
