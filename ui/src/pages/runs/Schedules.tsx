// What starts runs by itself: when next, how the last one went, what happens to times that were missed.
import { ActionIcon, Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconCalendarRepeat, IconDotsVertical, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "@/api/client";
import { runQuery, schedulesQuery } from "@/api/runQueries";
import type { RunSchedule, RunState, StartedRun } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { Go, runPath } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty, problemOf, QueryView, SkeletonRows } from "@/components/states";
import { StateMark } from "@/components/StateMark";
import table from "@/components/table.module.css";
import { Due, When } from "@/components/When";
import { cronWords } from "@/lib/cron";
import { formatSpan } from "@/lib/format";
import { formatAbsolute } from "@/lib/time";
import { useMay } from "@/state/session";
import { QueueState } from "./QueueState";
import { RunsTabs } from "./RunsTabs";
import classes from "./Schedules.module.css";

const TEACH = `# ops/workflows/backup.py
from holdfast.kernel.runs import Schedule

nightly = Schedule("nightly-backup", "platform.backup", cron="0 3 * * *", zone="Europe/Berlin")`;

type Verb = "pause" | "resume" | "start";

export function Schedules() {
  const query = useQuery(schedulesQuery);
  const [wish, setWish] = useState<RunSchedule | null>(null);
  const change = useChange(() => setWish(null));
  const ask = (schedule: RunSchedule, verb: Verb): void => (verb === "start" ? setWish(schedule) : change.mutate({ name: schedule.name, verb }));
  return (
    <Page title="Schedules" name="Schedules" subtitle="What starts by itself, and when.">
      <RunsTabs />
      <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
        {({ items }) =>
          items.length > 0 ? (
            <ScheduleTable schedules={items} onAsk={ask} />
          ) : (
            <Empty title="Nothing is scheduled" icon={<IconCalendarRepeat size={32} stroke={1.4} />} snippet={TEACH}>
              A schedule stands beside its workflow in <code>ops/workflows</code> and says its zone, so that the change to summer time surprises nobody.
            </Empty>
          )
        }
      </QueryView>
      <Confirm isOpen={wish !== null} title={`Start “${wish?.workflow ?? ""}” now?`} action="Start now" onConfirm={() => wish && change.mutate({ name: wish.name, verb: "start" })} onClose={() => setWish(null)} isPending={change.isPending} error={change.error}>
        One run more, out of turn. The schedule’s own times stay as they are.
      </Confirm>
    </Page>
  );
}

function useChange(onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, verb }: { name: string; verb: Verb }) => post<StartedRun | RunSchedule>(`/schedules/${encodeURIComponent(name)}/${verb}`),
    onSuccess: async (answer) => {
      onDone();
      if ("run" in answer) notifications.show({ title: `${answer.run.workflow} has started`, message: <Go to={runPath(answer.run.id)} className="link">Open the run</Go>, color: "transparent" });
      await Promise.all([client.invalidateQueries({ queryKey: ["schedules"] }), client.invalidateQueries({ queryKey: ["runs", "list"] })]);
    },
    onError: (error, { verb }) => verb !== "start" && notifications.show({ title: problemOf(error).title, message: problemOf(error).detail, color: "gray" }),
  });
}

function ScheduleTable({ schedules, onAsk }: { schedules: readonly RunSchedule[]; onAsk: (schedule: RunSchedule, verb: Verb) => void }) {
  const states = useLastStates(schedules);
  return (
    <table className={`${table.table} ${classes.schedules}`}>
      <thead>
        <tr>
          <th className={classes.name}>Schedule</th>
          <th className={classes.state}>State</th>
          <th className={classes.rule}>Starts</th>
          <th className={classes.next}>Next</th>
          <th className={classes.last}>Last run</th>
          <th className={classes.policy}>Overlap</th>
          <th className={classes.policy}>Missed times</th>
          <th className={classes.action}>
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => (
          <ScheduleRow key={schedule.name} schedule={schedule} last={states.get(schedule.last_run_id ?? "")} onAsk={onAsk} />
        ))}
      </tbody>
    </table>
  );
}

/** How the last run of each schedule stands, from the runs themselves. */
function useLastStates(schedules: readonly RunSchedule[]): ReadonlyMap<string, RunState> {
  const ids = schedules.flatMap((schedule) => schedule.last_run_id ?? []).slice(0, 30);
  const results = useQueries({ queries: ids.map((id) => ({ ...runQuery(id), staleTime: 5_000, retry: false })) });
  return new Map(results.flatMap(({ data }): [string, RunState][] => (data ? [[data.id, data.state]] : [])));
}

function ScheduleRow({ schedule, last, onAsk }: { schedule: RunSchedule; last: RunState | undefined; onAsk: (schedule: RunSchedule, verb: Verb) => void }) {
  const upcoming = schedule.upcoming ?? [];
  return (
    <tr data-key={schedule.name}>
      <td className={classes.name}>
        <Go to={`/runs?workflow=${encodeURIComponent(schedule.workflow)}`} className={`${table.rowLink} ${classes.two}`} data-row>
          <span className="truncate">{schedule.name}</span>
          {schedule.workflow !== schedule.name && <span className={`${classes.below} truncate`}>{schedule.workflow}</span>}
        </Go>
      </td>
      <td className={classes.state}>
        <QueueState state={schedule.is_paused ? "paused" : "active"} />
      </td>
      <td className={classes.rule}>
        <Rule schedule={schedule} />
      </td>
      <td className={classes.next}>
        <span className={table.above} data-tip={upcoming.length > 1 ? upcoming.map((at) => formatAbsolute(new Date(at))).join("\n") : undefined}>
          {schedule.is_paused ? <span className="faint">paused</span> : <Due at={schedule.next_at} />}
        </span>
      </td>
      <td className={classes.last}>
        {schedule.last_run_id ? (
          <Go to={runPath(schedule.last_run_id)} className={`${table.above} ${classes.two}`}>
            {last ? <StateMark state={last} size={14} /> : <span className="link">Open</span>}
            <span className={classes.below}>
              <When at={schedule.last_at} />
            </span>
          </Go>
        ) : (
          <span className="faint">never</span>
        )}
      </td>
      <td className={`${classes.policy} dim`}>{OVERLAP[schedule.overlap] ?? schedule.overlap}</td>
      <td className={`${classes.policy} dim`}>{CATCH_UP[schedule.catch_up] ?? schedule.catch_up}</td>
      <td className={classes.action} data-align="right">
        <Levers schedule={schedule} onAsk={onAsk} />
      </td>
    </tr>
  );
}

const OVERLAP: Record<string, string> = { skip: "skip while one runs", queue: "wait for the one before", allow: "run side by side", "cancel-old": "cancel the one before" };
const CATCH_UP: Record<string, string> = { skip: "left out", last: "only the latest", all: "each is made up for" };

function Rule({ schedule }: { schedule: RunSchedule }) {
  const words = schedule.kind === "cron" ? cronWords(schedule.rule) : schedule.kind === "interval" ? `every ${spanOf(schedule.rule)}` : "once";
  const jitter = schedule.jitter_s > 0 ? `, up to ${formatSpan(schedule.jitter_s)} later` : "";
  const below = schedule.kind === "cron" ? `${words ? `${schedule.rule} · ` : ""}${schedule.zone ?? "UTC"}` : schedule.kind === "once" ? onceText(schedule.rule) : "";
  return (
    <span className={classes.two} data-tip={below || undefined}>
      <span className="truncate">
        {words ?? <span className="mono">{schedule.rule}</span>}
        {jitter}
      </span>
      {below && <span className={`${classes.below} truncate`}>{below}</span>}
    </span>
  );
}

/** An interval comes as it was declared (`2m`) or in seconds. */
function spanOf(rule: string): string {
  const seconds = Number(rule.replace(/s$/, ""));
  return Number.isFinite(seconds) ? formatSpan(seconds) : rule.replace(/(\d)([a-z])/g, "$1 $2");
}

function onceText(rule: string): string {
  const at = new Date(rule);
  return Number.isNaN(at.getTime()) ? rule : formatAbsolute(at);
}

function Levers({ schedule, onAsk }: { schedule: RunSchedule; onAsk: (schedule: RunSchedule, verb: Verb) => void }) {
  const mayManage = useMay("runs.manage");
  const mayStart = useMay("runs.start");
  return (
    <span className={`${classes.levers} ${table.above}`}>
      {schedule.is_paused && (
        <Button variant="subtle" size="compact-xs" aria-label={`Resume ${schedule.name}`} leftSection={<IconPlayerPlay size={13} />} onClick={() => onAsk(schedule, "resume")} disabled={!mayManage}>
          Resume
        </Button>
      )}
      <Menu position="bottom-end" width={160}>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${schedule.name}`} disabled={!mayManage && !mayStart}>
            <IconDotsVertical size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPlayerPlay size={15} />} onClick={() => onAsk(schedule, "start")} disabled={!mayStart}>
            Start now
          </Menu.Item>
          {!schedule.is_paused && (
            <Menu.Item leftSection={<IconPlayerPause size={15} />} onClick={() => onAsk(schedule, "pause")} disabled={!mayManage}>
              Pause
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}
