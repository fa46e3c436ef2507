// What waits and what runs in each queue, what holds it back, and the levers to stop it.
import { ActionIcon, Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDotsVertical, IconDropletDown, IconPlayerPause, IconPlayerPlay, IconStack2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "@/api/client";
import { queuesQuery } from "@/api/runQueries";
import type { RunQueue } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { Go } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty, problemOf, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { formatCount, formatSpan, NOTHING } from "@/lib/format";
import { useMay, useNames } from "@/state/session";
import { RunsTabs } from "./RunsTabs";
import { QueueState } from "./QueueState";
import classes from "./Queues.module.css";

type Verb = "pause" | "resume" | "drain";

const TEXTS: Record<Verb, { title: string; action: string; text: string }> = {
  pause: { title: "Pause", action: "Pause the queue", text: "Nothing new starts from it until it is resumed. What runs goes on; what waits keeps its place." },
  drain: { title: "Drain", action: "Drain the queue", text: "New runs are refused until it is resumed. What is in it is finished." },
  resume: { title: "Resume", action: "Resume the queue", text: "It takes new runs and starts those that wait." },
};

export function Queues() {
  const query = useQuery(queuesQuery);
  const [wish, setWish] = useState<{ queue: string; verb: Verb } | null>(null);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: ({ queue, verb }: { queue: string; verb: Verb }) => post(`/queues/${encodeURIComponent(queue)}/${verb}`),
    onSuccess: async () => {
      setWish(null);
      await client.invalidateQueries({ queryKey: ["queues"] });
    },
    onError: (error) => wish === null && notifications.show({ title: problemOf(error).title, message: problemOf(error).detail, color: "gray" }),
  });
  const ask = (queue: string, verb: Verb): void => (verb === "resume" ? change.mutate({ queue, verb }) : setWish({ queue, verb }));
  const text = wish && TEXTS[wish.verb];
  return (
    <Page title="Queues" name="Queues" subtitle="How many runs go on at once, how fast they start, and who waits.">
      <RunsTabs />
      <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
        {({ items }) =>
          items.length > 0 ? (
            <QueueTable queues={items} onAsk={ask} />
          ) : (
            <Empty title="No queue yet" icon={<IconStack2 size={32} stroke={1.4} />}>
              A queue exists as soon as a workflow names it; until then everything runs in <code>default</code>.
            </Empty>
          )
        }
      </QueryView>
      <Confirm isOpen={wish !== null} title={`${text?.title ?? ""} “${wish?.queue ?? ""}”?`} action={text?.action ?? ""} onConfirm={() => wish && change.mutate(wish)} onClose={() => setWish(null)} isPending={change.isPending} error={change.error}>
        {text?.text}
      </Confirm>
    </Page>
  );
}

function QueueTable({ queues, onAsk }: { queues: readonly RunQueue[]; onAsk: (queue: string, verb: Verb) => void }) {
  return (
    <table className={`${table.table} ${classes.queues}`}>
      <thead>
        <tr>
          <th className={classes.name}>Queue</th>
          <th className={classes.state}>State</th>
          <th className={classes.number} data-align="right">
            Waiting
          </th>
          <th className={classes.oldest} data-align="right">
            Oldest wait
          </th>
          <th className={classes.running}>Running</th>
          <th className={classes.limits}>Limits</th>
          <th className={classes.rate}>Rate</th>
          <th className={classes.action}>
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <QueueRow key={queue.name} queue={queue} onAsk={onAsk} />
        ))}
      </tbody>
    </table>
  );
}

function QueueRow({ queue, onAsk }: { queue: RunQueue; onAsk: (queue: string, verb: Verb) => void }) {
  const names = useNames();
  const limits = [queue.per_worker !== null && `${queue.per_worker} per process`, queue.per_key !== null && `${queue.per_key} per key`].filter(Boolean).join(", ");
  return (
    <tr data-key={queue.name}>
      <td className={classes.name}>
        <Go to={`/runs?queue=${encodeURIComponent(queue.name)}&state=queued,running,waiting`} className={table.rowLink} data-row>
          {queue.name}
        </Go>
      </td>
      <td className={classes.state}>
        <span className="row">
          <QueueState state={queue.state} />
          {queue.changed_by && queue.state !== "open" && (
            <span className={`${classes.who} faint small truncate`}>
              by {actorName(queue.changed_by, names) ?? "the system"} <When at={queue.changed_at} />
            </span>
          )}
        </span>
      </td>
      <td className={classes.number} data-align="right" data-tip={queue.delayed > 0 ? `${formatCount(queue.delayed)} more are not due yet` : undefined}>
        {formatCount(queue.queued)}
        {queue.delayed > 0 && <span className="faint"> +{formatCount(queue.delayed)}</span>}
      </td>
      <td className={`${classes.oldest} dim`} data-align="right">
        {queue.oldest_wait_s === null ? NOTHING : formatSpan(queue.oldest_wait_s)}
      </td>
      <td className={classes.running}>
        <Load queue={queue} />
      </td>
      <td className={`${classes.limits} dim`}>{limits || NOTHING}</td>
      <td className={`${classes.rate} dim`}>{queue.rate ?? NOTHING}</td>
      <td className={classes.action} data-align="right">
        <Levers queue={queue} onAsk={onAsk} />
      </td>
    </tr>
  );
}

function Load({ queue }: { queue: RunQueue }) {
  const share = queue.concurrency ? Math.min(1, queue.running / queue.concurrency) : null;
  return (
    <span className={classes.load}>
      <span className="tabular">
        {formatCount(queue.running)}
        {queue.concurrency !== null && <span className="faint"> of {formatCount(queue.concurrency)}</span>}
      </span>
      {share !== null && (
        <span className={classes.track} aria-hidden>
          <span className={classes.bar} style={{ width: `${share * 100}%` }} />
        </span>
      )}
    </span>
  );
}

function Levers({ queue, onAsk }: { queue: RunQueue; onAsk: (queue: string, verb: Verb) => void }) {
  const mayManage = useMay("runs.manage");
  if (queue.state !== "open") {
    return (
      <Button variant="subtle" size="compact-xs" className={table.above} aria-label={`Resume ${queue.name}`} leftSection={<IconPlayerPlay size={13} />} onClick={() => onAsk(queue.name, "resume")} disabled={!mayManage}>
        Resume
      </Button>
    );
  }
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <ActionIcon className={table.above} aria-label={`Actions for ${queue.name}`} disabled={!mayManage} data-tip={mayManage ? undefined : "Needs the role operator"}>
          <IconDotsVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPlayerPause size={15} />} onClick={() => onAsk(queue.name, "pause")}>
          Pause
        </Menu.Item>
        <Menu.Item leftSection={<IconDropletDown size={15} />} onClick={() => onAsk(queue.name, "drain")}>
          Drain
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
