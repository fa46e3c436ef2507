// Navigation: the rooms that exist, how many problems wait in each, and who is signed in.
import { Menu, UnstyledButton } from "@mantine/core";
import {
  IconActivityHeartbeat, IconChartLine, IconChevronsLeft, IconChevronsRight, IconDatabase, IconFileText, IconHierarchy3, IconLayoutDashboard, IconLayoutGrid, IconListTree, IconLogout, IconNotebook, IconRoute, IconServer2, IconSettings, IconTimelineEvent, IconUserCircle,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { NavLink } from "react-router";
import { servicesQuery, sickChecksQuery } from "@/api/queries";
import { needyRunsQuery } from "@/api/runQueries";
import type { Verdict } from "@/api/types";
import { plural } from "@/lib/format";
import { VERDICT_WORD, worst } from "@/lib/status";
import { useMay, useSession, useSignOut } from "@/state/session";
import { useCarry } from "@/state/timerange";
import { StatusIcon } from "../StatusMark";
import { Logo } from "./Logo";
import classes from "./Nav.module.css";

const PLACES = [
  { to: "/", label: "Overview", icon: IconLayoutDashboard, keys: "g o" },
  { to: "/map", label: "Map", icon: IconHierarchy3, keys: "g m" },
  { to: "/checks", label: "Checks", icon: IconActivityHeartbeat, keys: "g c" },
  { to: "/runs", label: "Runs", icon: IconRoute, keys: "g r" },
  { to: "/explore", label: "Metrics", icon: IconChartLine, keys: "g x" },
  { to: "/logs", label: "Logs", icon: IconFileText, keys: "g l" },
  { to: "/traces", label: "Traces", icon: IconListTree, keys: "g a" },
  { to: "/dashboards", label: "Dashboards", icon: IconLayoutGrid, keys: "g b" },
  { to: "/investigations", label: "Investigations", icon: IconNotebook, keys: "g i" },
  { to: "/usage", label: "Usage", icon: IconDatabase, keys: "g u" },
  { to: "/host", label: "Host", icon: IconServer2, keys: "g h" },
  { to: "/events", label: "Events", icon: IconTimelineEvent, keys: "g e" },
] as const;

export function Nav({ isNarrow, onToggle }: { isNarrow: boolean; onToggle?: () => void }) {
  const carry = useCarry();
  const problems = useProblems();
  const { user } = useSession();
  return (
    <nav className={classes.nav} data-narrow={isNarrow || undefined} aria-label="Main">
      <NavLink to={carry("/")} className={classes.brand} aria-label="Holdfast overview">
        <Logo size={22} />
        <span className={classes.label}>Holdfast</span>
      </NavLink>
      <ul className={classes.places}>
        {PLACES.map(({ to, label, icon: Icon, keys }) => {
          const problem = problems[label];
          return (
            <li key={to}>
              <NavLink to={carry(to)} end={to === "/"} className={classes.place} data-tip={isNarrow ? `${label}  ${keys}` : undefined}>
                <Icon size={17} stroke={1.7} aria-hidden />
                <span className={classes.label}>{label}</span>
                {problem && <Problem {...problem} />}
              </NavLink>
            </li>
          );
        })}
      </ul>
      <ul className={classes.foot}>
        <li>
          <NavLink to={carry("/settings")} className={classes.place} data-tip={isNarrow ? "Settings  g s" : undefined}>
            <IconSettings size={17} stroke={1.7} aria-hidden />
            <span className={classes.label}>Settings</span>
          </NavLink>
        </li>
        <li>
          <AccountMenu name={user.name} role={user.role} isAnonymous={user.id === "anonymous"} />
        </li>
        {onToggle && (
          <li>
            <UnstyledButton className={classes.place} onClick={onToggle} aria-label={isNarrow ? "Widen navigation" : "Collapse navigation"} data-tip={isNarrow ? "Widen  [" : undefined}>
              {isNarrow ? <IconChevronsRight size={17} stroke={1.7} /> : <IconChevronsLeft size={17} stroke={1.7} />}
              <span className={classes.label}>Collapse</span>
            </UnstyledButton>
          </li>
        )}
      </ul>
    </nav>
  );
}

interface ProblemMark {
  verdict: Verdict;
  count: number;
  noun: string;
  /** What is the matter, where it is not the verdict's own word. */
  word?: string;
}

function Problem({ verdict, count, noun, word }: ProblemMark) {
  const text = `${plural(count, noun)} ${word ?? VERDICT_WORD[verdict].toLowerCase()}`;
  return (
    <span className={classes.problem} data-verdict={verdict} data-tip={text}>
      <StatusIcon verdict={verdict} size={13} />
      <span className={classes.count}>{count}</span>
      <span className="visually-hidden">{text}</span>
    </span>
  );
}

function useProblems(): Partial<Record<string, ProblemMark>> {
  const services = useQuery(servicesQuery).data?.map((service) => service.health) ?? [];
  const checks = useQuery(sickChecksQuery).data?.map((check) => check.verdict) ?? [];
  const marks: Partial<Record<string, ProblemMark>> = {};
  for (const [label, noun, verdicts] of [["Overview", "service", services], ["Checks", "check", checks]] as const) {
    const verdict = worst(verdicts);
    const isProblem = verdict === "down" || verdict === "degraded";
    if (isProblem) marks[label] = { verdict, noun, count: verdicts.filter((one) => one === verdict).length };
  }
  const stranded = useQuery({ ...needyRunsQuery, enabled: useMay("runs.read") }).data?.items.length ?? 0;
  if (stranded > 0) marks["Runs"] = { verdict: "degraded", noun: "run", word: "stranded", count: stranded };
  return marks;
}

function AccountMenu({ name, role, isAnonymous }: { name: string; role: string; isAnonymous: boolean }) {
  const signOut = useSignOut();
  return (
    <Menu position="right-end" width={200}>
      <Menu.Target>
        <UnstyledButton className={classes.place}>
          <IconUserCircle size={17} stroke={1.7} aria-hidden />
          <span className="visually-hidden">Account: </span>
          <span className={`${classes.label} truncate`}>{name}</span>
          <span className={`${classes.label} ${classes.role}`}>{role}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name}, {role}
        </Menu.Label>
        {isAnonymous ? (
          <Menu.Label>Signing in is switched off</Menu.Label>
        ) : (
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => signOut.mutate()}>
            Sign out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
