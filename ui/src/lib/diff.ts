// Reads a unified difference line by line, so that added and removed lines can be told apart by more than colour.

export type DiffKind = "added" | "removed" | "same" | "place" | "file";

export interface DiffLine {
  kind: DiffKind;
  sign: string;
  text: string;
}

export function diffLines(diff: string): DiffLine[] {
  return diff.replace(/\n$/, "").split("\n").map((line) => {
    if (/^(---|\+\+\+) /.test(line)) return { kind: "file", sign: line.slice(0, 3), text: line.slice(4) };
    if (line.startsWith("@@")) return { kind: "place", sign: "", text: line };
    if (line.startsWith("+")) return { kind: "added", sign: "+", text: line.slice(1) };
    if (line.startsWith("-")) return { kind: "removed", sign: "−", text: line.slice(1) };
    return { kind: "same", sign: " ", text: line.startsWith(" ") ? line.slice(1) : line };
  });
}

export function diffCount(lines: readonly DiffLine[]): string {
  const count = (kind: DiffKind): number => lines.filter((line) => line.kind === kind).length;
  return `+${count("added")} −${count("removed")}`;
}
