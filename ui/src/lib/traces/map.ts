// The map of who calls whom, as the pages draw it: ids of nodes and edges, words of states and changes, links to traces.
import type { MapEdge, MapNode, TraceMap, Verdict } from "@/api/types";
import { addAttribute, searchPath } from "./search";

export type EdgeState = MapEdge["state"];
export type Change = MapEdge["changes"][number];

/** A state has the colour and the icon of the verdict that it is like; its word is its own. */
export const STATE_VERDICT: Record<EdgeState, Verdict> = { failing: "down", worse: "degraded", fine: "up", gone: "unknown" };
export const STATE_WORD: Record<EdgeState, string> = { failing: "Failing", worse: "Worse", fine: "Fine", gone: "Gone" };
const STATES: readonly EdgeState[] = ["failing", "worse", "gone", "fine"];

export const CHANGE_WORD: Record<Change, string> = {
  new: "new",
  gone: "gone",
  busier: "more calls",
  quieter: "fewer calls",
  more_errors: "more errors",
  fewer_errors: "fewer errors",
  slower: "slower",
  faster: "faster",
};

export const nodeId = ({ name, type }: Pick<MapNode, "name" | "type">): string => `${type}:${name}`;

export const nodeName = (id: string): string => id.slice(id.indexOf(":") + 1);

/** The map around one node. */
export const mapPath = (id: string): string => `/traces/map?of=${encodeURIComponent(id)}`;

/** The ends of an edge as ids of nodes: a topic may be called as a service is. */
export function endsOf({ source, target, connection }: MapEdge): [from: string, to: string] {
  const thing = { database: "database", external: "external", to_topic: "messaging" } as const;
  return [
    connection === "from_topic" ? `messaging:${source}` : `service:${source}`,
    connection === "call" || connection === "from_topic" ? `service:${target}` : `${thing[connection]}:${target}`,
  ];
}

export const edgeId = (edge: MapEdge): string => endsOf(edge).join(">");

/** The worst first, then those with the most calls. */
export function sortEdges(edges: readonly MapEdge[]): MapEdge[] {
  return [...edges].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || b.rates.calls - a.rates.calls || edgeId(a).localeCompare(edgeId(b)));
}

/** The search that finds the traces of an edge, by the span that its figures are of. */
export function edgeSearch({ source, target, connection }: MapEdge, more: { status?: "error" } = {}): string {
  switch (connection) {
    case "call":
      return searchPath({ service: target, ...more });
    case "database":
      return searchPath({ service: source, spans: "client", attributes: addAttribute("", target.includes("/") ? "db.name" : "db.system", target.split("/").slice(1).join("/") || target), ...more });
    case "external":
      return searchPath({ service: source, spans: "client", attributes: addAttribute("", "server.address", target), ...more });
    case "to_topic":
      return searchPath({ service: source, spans: "producer", attributes: addAttribute("", "messaging.destination.name", target), ...more });
    case "from_topic":
      return searchPath({ service: target, spans: "consumer", attributes: addAttribute("", "messaging.destination.name", source), ...more });
  }
}

/** What the layout depends on: it is made anew only when nodes or edges come or go. */
export function shapeOf(map: TraceMap): { names: string[]; edges: { from: string; to: string }[]; key: string } {
  const names = map.nodes.map(nodeId).sort();
  const edges = map.edges.map((edge) => endsOf(edge)).map(([from, to]) => ({ from, to })).sort((a, b) => `${a.from}>${a.to}`.localeCompare(`${b.from}>${b.to}`));
  return { names, edges, key: JSON.stringify([names, edges]) };
}

/** Of the map, one node with those who call it and those whom it calls. */
export function neighbourhood(map: TraceMap, id: string): TraceMap {
  const edges = map.edges.filter((edge) => endsOf(edge).includes(id));
  const names = new Set([id, ...edges.flatMap(endsOf)]);
  return { ...map, nodes: map.nodes.filter((node) => names.has(nodeId(node))), edges };
}

export const shareFailed = ({ calls, errors }: { calls: number; errors: number }): number => (calls > 0 ? (100 * errors) / calls : 0);
