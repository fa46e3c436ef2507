// Places a directed graph in columns: whoever uses something stands left of it, crossings are few, and an arrow that
// skips columns gets a lane of its own, so that it never runs behind a box. Circles are allowed.

import { groupBy } from "./group";

export interface GraphEdge {
  from: string;
  to: string;
}

export interface Place {
  column: number;
  row: number;
}

export interface Layout {
  places: Map<string, Place>;
  /** For each edge ("from>to") the places between its ends through which it is led. */
  lanes: Map<string, Place[]>;
}

const SWEEPS = 8;
/** A lane needs less room than a box: so much of a row. */
const LANE_ROWS = 0.4;

/** Gives every name a column (its longest way from a start) and a row within it. */
export function layers(names: readonly string[], edges: readonly GraphEdge[]): Layout {
  const known = new Set(names);
  const forward = dropBackEdges(names, edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to)));
  const columns = columnsOf(names, forward);
  const { links, stops } = splitLong(forward, columns);
  const rows: string[][] = [];
  for (const name of [...names].sort().concat([...stops.keys()])) (rows[columns.get(name) ?? stops.get(name) ?? 0] ??= []).push(name);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) untangle(rows, links, sweep % 2 === 0);
  const all = new Map(
    rows.flatMap((column, index) => {
      const places = offsets(column, stops);
      return column.map((name, at): [string, Place] => [name, { column: index, row: places[at] ?? 0 }]);
    }),
  );
  return {
    places: new Map(names.flatMap((name) => (all.has(name) ? [[name, all.get(name) as Place]] : []))),
    lanes: new Map(forward.map(({ from, to }) => [`${from}>${to}`, lane(from, to, columns, all)])),
  };
}

/** The rows of a column's members, around zero. */
function offsets(column: readonly string[], stops: ReadonlyMap<string, number>): number[] {
  const sizes = column.map((name) => (stops.has(name) ? LANE_ROWS : 1));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let above = -all / 2;
  return sizes.map((size) => {
    above += size;
    return above - size / 2;
  });
}

/** Walks depth first and leaves out the edges that close a circle. */
function dropBackEdges(names: readonly string[], edges: readonly GraphEdge[]): GraphEdge[] {
  const out = groupBy(edges, (edge) => edge.from);
  const state = new Map<string, "open" | "done">();
  const kept: GraphEdge[] = [];
  const visit = (name: string): void => {
    state.set(name, "open");
    for (const edge of out.get(name) ?? []) {
      if (state.get(edge.to) === "open") continue;
      kept.push(edge);
      if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(name, "done");
  };
  for (const name of names) if (!state.has(name)) visit(name);
  return kept;
}

function columnsOf(names: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const into = groupBy(edges, (edge) => edge.to);
  const columns = new Map<string, number>();
  const depth = (name: string): number => {
    const found = columns.get(name);
    if (found !== undefined) return found;
    const column = Math.max(-1, ...(into.get(name) ?? []).map((edge) => depth(edge.from))) + 1;
    columns.set(name, column);
    return column;
  };
  for (const name of names) depth(name);
  return columns;
}

const stop = (from: string, to: string, column: number): string => `${from}>${to}#${column}`;

/** Cuts each edge that skips columns into links from column to column, by way of stops. */
function splitLong(edges: readonly GraphEdge[], columns: ReadonlyMap<string, number>): { links: GraphEdge[]; stops: Map<string, number> } {
  const links: GraphEdge[] = [];
  const stops = new Map<string, number>();
  for (const { from, to } of edges) {
    let before = from;
    for (let column = (columns.get(from) ?? 0) + 1; column < (columns.get(to) ?? 0); column += 1) {
      const name = stop(from, to, column);
      stops.set(name, column);
      links.push({ from: before, to: name });
      before = name;
    }
    links.push({ from: before, to });
  }
  return { links, stops };
}

function lane(from: string, to: string, columns: ReadonlyMap<string, number>, all: ReadonlyMap<string, Place>): Place[] {
  const first = (columns.get(from) ?? 0) + 1;
  const count = Math.max(0, (columns.get(to) ?? 0) - first);
  return Array.from({ length: count }, (_, index) => all.get(stop(from, to, first + index))).filter((place) => place !== undefined);
}

/** Orders each column by the mean row of its neighbours in the column before (or behind). */
function untangle(rows: string[][], links: readonly GraphEdge[], isForward: boolean): void {
  const place = new Map<string, number>();
  const note = (column: string[]): void => column.forEach((name, row) => void place.set(name, row - (column.length - 1) / 2));
  rows.forEach(note);
  const neighbours = isForward ? groupBy(links, (link) => link.to) : groupBy(links, (link) => link.from);
  const mean = (name: string): number => {
    const near = (neighbours.get(name) ?? []).flatMap((link) => place.get(isForward ? link.from : link.to) ?? []);
    return near.length === 0 ? (place.get(name) ?? 0) : near.reduce((a, b) => a + b, 0) / near.length;
  };
  for (const column of isForward ? rows : [...rows].reverse()) {
    const wanted = new Map(column.map((name) => [name, mean(name)]));
    column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a.localeCompare(b));
    note(column);
  }
}
