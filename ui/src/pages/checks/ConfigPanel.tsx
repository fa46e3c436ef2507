// The check as it is loaded, written as its file would be; secrets are already masked by the server.
import { Snippet } from "@/components/states";
import { toYaml } from "@/lib/yaml";

export function ConfigPanel({ config, labels }: { config: Record<string, unknown>; labels: Record<string, string> }) {
  const all = "labels" in config || Object.keys(labels).length === 0 ? config : { ...config, labels };
  return <Snippet text={toYaml(pruned(all))} />;
}

/** Leaves out what is not set, so that what is set can be seen. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, pruned(item)] as const).filter(([, item]) => !isVoid(item)));
}

function isVoid(value: unknown): boolean {
  return value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}
