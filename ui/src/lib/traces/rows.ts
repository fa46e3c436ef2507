// Which rows of a waterfall are to be seen, and where the keys lead.
import { ancestors, type Trace } from "./model";

/** All rows that no collapsed span hides. */
export function openRows(trace: Trace, collapsed: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(trace.count);
  let length = 0;
  for (let row = 0; row < trace.count; row = collapsed.has(row) ? (trace.ends[row] as number) : row + 1) {
    rows[length] = row;
    length += 1;
  }
  return rows.subarray(0, length);
}

export function hasChildren(trace: Trace, row: number): boolean {
  return (trace.ends[row] as number) > row + 1;
}

/** Place of a row among the open ones, which ascend; the one before it where it is hidden. */
export function placeOf(rows: Int32Array, row: number): number {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rows[middle] as number) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Opens whatever hides a row. */
export function reveal(trace: Trace, collapsed: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const hiding = ancestors(trace, row).filter((one) => collapsed.has(one));
  if (hiding.length === 0) return collapsed;
  const next = new Set(collapsed);
  for (const one of hiding) next.delete(one);
  return next;
}

/** Where spans of a trace stand in the same one as it came later; -1 for those that are gone. */
export function carryRows(before: Trace, after: Trace, rows: readonly number[]): number[] {
  const places = new Map(after.ids.map((id, row) => [id, row]));
  return rows.map((row) => places.get(before.ids[row] ?? "") ?? -1);
}

/** Collapses every span at a depth, so that so many levels stay open. */
export function collapseBelow(trace: Trace, depth: number): Set<number> {
  const found = new Set<number>();
  for (let row = 0; row < trace.count; row += 1) if (trace.depths[row] === depth && hasChildren(trace, row)) found.add(row);
  return found;
}

/** Rows whose name, service, kind or id holds all the words; "error" finds failed ones. */
export function findRows(trace: Trace, text: string): Int32Array {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return new Int32Array();
  const found: number[] = [];
  for (let row = 0; row < trace.count; row += 1) {
    const line = `${trace.services[row]} ${trace.names[row]} ${trace.kinds[row]} ${trace.ids[row]}${trace.isError[row] ? " error" : ""}`.toLowerCase();
    if (words.every((word) => line.includes(word))) found.push(row);
  }
  return Int32Array.from(found);
}
