// The search that stands in the address, and how to change it.
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { type Part, readPart, readWish, type TraceWish, writePart, writeWish } from "@/lib/traces/search";

export type WriteWish = (change: Partial<TraceWish>, part?: Part | null) => void;

/** A change of the search keeps the chosen part of the time, unless it says another (null: the whole range). */
export function useWish(prefix = ""): { wish: TraceWish; part: Part | null; write: WriteWish } {
  const [params, setParams] = useSearchParams();
  const wish = useMemo(() => readWish(params, prefix), [params, prefix]);
  const text = params.get("part") ?? "";
  const part = useMemo(() => readPart(text), [text]);
  const write: WriteWish = (change, next) =>
    setParams(
      (current) => {
        const written = writeWish(current, change, prefix);
        if (next !== undefined) written.delete("part");
        if (next) written.set("part", writePart(next));
        return written;
      },
      { replace: true },
    );
  return { wish, part, write };
}
