// A text filter that lives in the URL; "/" focuses it, Escape clears it and leaves.
import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useUrlFilter } from "@/state/timerange";
import classes from "./FilterInput.module.css";

/** The URL follows typing at this distance: navigation is too slow to carry every key, and would lose some. */
const FOLLOW_MS = 120;

export function FilterInput({ name, placeholder }: { name: string; placeholder: string }) {
  const { text, write } = useTyping(name);
  return (
    <TextInput
      className={classes.filter}
      data-filter
      aria-label={placeholder}
      placeholder={`${placeholder}  /`}
      leftSection={<IconSearch size={14} />}
      rightSection={text ? <CloseButton size="xs" aria-label="Clear the filter" onClick={() => write("")} /> : undefined}
      value={text}
      onChange={(event) => write(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        write("");
        event.currentTarget.blur();
      }}
    />
  );
}

function useTyping(name: string): { text: string; write: (text: string) => void } {
  const [inUrl, setUrl] = useUrlFilter(name);
  const [text, setText] = useState(inUrl);
  const written = useRef(inUrl);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    // Somebody else changed the URL: Back, a link, a palette action.
    if (inUrl === written.current) return;
    written.current = inUrl;
    setText(inUrl);
  }, [inUrl]);
  // The other filters may change the URL while this one waits: only the newest setter knows all of it.
  const latest = useRef(setUrl);
  useEffect(() => {
    latest.current = setUrl;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  const write = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      written.current = next;
      latest.current(next);
    }, FOLLOW_MS);
  };
  return { text, write };
}
