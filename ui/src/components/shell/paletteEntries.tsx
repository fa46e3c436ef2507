// What the palette offers: pages, services and checks (the worst first), actions.
import { useMantineColorScheme } from "@mantine/core";
import { IconArrowRight, IconKeyboard, IconLogout, IconMoon, IconPlayerPlay, IconRefresh, IconRoute, IconSun } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useNavigate } from "react-router";
import { checksQuery, servicesQuery } from "@/api/queries";
import { workflowsQuery } from "@/api/runQueries";
import { severity } from "@/lib/status";
import { matchesText } from "@/lib/text";
import { useMay, useSignOut } from "@/state/session";
import { PLACES } from "@/state/shortcuts";
import { useCarry } from "@/state/timerange";
import { checkPath, servicePath } from "../Go";
import { StatusIconLabelled } from "../StatusMark";

export interface Entry {
  id: string;
  label: string;
  /** Further words by which it is found, and a line of context. */
  context?: string | undefined;
  icon: ReactNode;
  run: () => void;
}

export interface EntryGroup {
  label: string;
  entries: Entry[];
}

const PER_GROUP = 7;
/** Before somebody types, these groups show only so many. */
const UNASKED: Record<string, number> = { Checks: 3, Workflows: 2 };

const PLACE_NAMES: Record<string, string> = { "/": "Overview", "/map": "Map of services", "/checks": "Checks", "/runs": "Runs", "/runs/queues": "Queues of runs", "/runs/schedules": "Schedules of runs", "/explore": "Metrics", "/explore/targets": "Targets of scrapes", "/explore/cardinality": "Cardinality of metrics", "/logs": "Logs", "/traces": "Traces", "/dashboards": "Dashboards", "/investigations": "Investigations", "/saved": "Saved searches", "/around": "Around a moment", "/usage": "Usage", "/host": "Host", "/events": "Events", "/settings": "Settings" };

/** What of the groups matches the typed words; without words a few of each. */
export function findEntries(groups: readonly EntryGroup[], query: string): EntryGroup[] {
  return groups
    .map(({ label, entries }) => ({
      label,
      entries: entries.filter((entry) => matchesText(query, [entry.label, entry.context, label])).slice(0, query === "" ? (UNASKED[label] ?? PER_GROUP) : PER_GROUP),
    }))
    .filter(({ entries }) => entries.length > 0);
}

export function useEntries(onHelp: () => void): EntryGroup[] {
  const navigate = useNavigate();
  const carry = useCarry();
  const services = useQuery(servicesQuery).data;
  const checks = useQuery(checksQuery).data;
  const workflows = useQuery({ ...workflowsQuery, enabled: useMay("runs.read") }).data;
  const mayStart = useMay("runs.start");
  const actions = useActions(onHelp);
  return useMemo(() => {
    const go = (path: string) => () => void navigate(carry(path));
    const pages = Object.entries(PLACES).map(([keys, path]): Entry => ({ id: path, label: PLACE_NAMES[path] ?? path, context: keys, icon: <IconArrowRight size={15} />, run: go(path) }));
    const serviceEntries = [...(services ?? [])]
      .sort((a, b) => severity(a.health) - severity(b.health) || a.name.localeCompare(b.name))
      .map((service): Entry => ({ id: `service/${service.name}`, label: service.title ?? service.name, context: service.title ? service.name : undefined, icon: <StatusIconLabelled verdict={service.health} size={15} />, run: go(servicePath(service.name)) }));
    const checkEntries = [...(checks ?? [])]
      .sort((a, b) => severity(a.verdict) - severity(b.verdict) || a.name.localeCompare(b.name))
      .map((check): Entry => ({ id: `check/${check.name}`, label: check.name, context: check.target ?? check.kind, icon: <StatusIconLabelled verdict={check.verdict} size={15} />, run: go(checkPath(check.name)) }));
    const workflowEntries = (workflows?.items ?? []).flatMap(({ name, summary }): Entry[] => [
      { id: `runs/${name}`, label: `Runs of ${name}`, context: summary || undefined, icon: <IconRoute size={15} />, run: go(`/runs?workflow=${encodeURIComponent(name)}`) },
      ...(mayStart ? [{ id: `start/${name}`, label: `Start ${name}`, context: "a new run", icon: <IconPlayerPlay size={15} />, run: go(`/runs?start=${encodeURIComponent(name)}`) }] : []),
    ]);
    return [
      { label: "Pages", entries: pages },
      { label: "Services", entries: serviceEntries },
      { label: "Checks", entries: checkEntries },
      { label: "Workflows", entries: workflowEntries },
      { label: "Actions", entries: actions },
    ];
  }, [services, checks, workflows, mayStart, actions, navigate, carry]);
}

function useActions(onHelp: () => void): Entry[] {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const client = useQueryClient();
  const { mutate: signOut } = useSignOut();
  return useMemo(
    () => [
      { id: "dark", label: "Switch to dark", context: "appearance theme", icon: <IconMoon size={15} />, run: () => setColorScheme("dark") },
      { id: "light", label: "Switch to light", context: "appearance theme", icon: <IconSun size={15} />, run: () => setColorScheme("light") },
      { id: "refresh", label: "Refresh everything on this page", icon: <IconRefresh size={15} />, run: () => void client.invalidateQueries() },
      { id: "keys", label: "Show keyboard shortcuts", context: "?", icon: <IconKeyboard size={15} />, run: onHelp },
      { id: "out", label: "Sign out", icon: <IconLogout size={15} />, run: () => signOut() },
    ],
    [setColorScheme, client, onHelp, signOut],
  );
}
