// What this server is, whether its jobs run, and whether the files in ops are in force.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { post } from "@/api/client";
import { statusQuery } from "@/api/queries";
import type { Status } from "@/api/types";
import { Facts } from "@/components/Facts";
import { Notice } from "@/components/Notice";
import { Section } from "@/components/Page";
import { problemOf, QueryView, SkeletonRows } from "@/components/states";
import { StatusMark } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { formatBytes, formatSpan } from "@/lib/format";
import { useMay } from "@/state/session";
import classes from "./Settings.module.css";

export function About() {
  const query = useQuery(statusQuery);
  return (
    <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
      {(status) => (
        <div className={classes.form}>
          <Facts
            facts={{
              Version: status.version,
              "Running for": formatSpan(status.uptime_s),
              Roles: status.roles,
              Memory: formatBytes(status.resident_bytes),
              Database: status.database,
              "Signing in": status.auth === "on" ? "required" : "switched off: everybody who reaches this port is an administrator",
            }}
          />
          {Object.entries(status.unready).map(([name, why]) => (
            <Notice key={name} tone="degraded" title={`${name} is not ready`}>
              {why}
            </Notice>
          ))}
          <Ops status={status} />
          <Jobs status={status} />
        </div>
      )}
    </QueryView>
  );
}

function Ops({ status: { ops } }: { status: Status }) {
  const client = useQueryClient();
  const mayReload = useMay("server.reload");
  const reload = useMutation({
    mutationFn: () => post("/reload"),
    onSuccess: () => notifications.show({ message: "The ops folder is loaded.", color: "gray" }),
    onError: (error) => {
      const problem = problemOf(error);
      notifications.show({ title: problem.title, message: problem.detail ?? "", color: "gray" });
    },
    onSettled: () => client.invalidateQueries(),
  });
  return (
    <Section title="Ops folder">
      <div className={classes.form}>
        <span className="row wrap">
          <span className="mono">{ops.path || "none"}</span>
          {ops.loaded_at && (
            <span className="faint">
              loaded <When at={ops.loaded_at} />
            </span>
          )}
          <Button variant="default" leftSection={<IconRefresh size={14} />} onClick={() => reload.mutate()} loading={reload.isPending} disabled={!mayReload || ops.path === ""}>
            Load it again
          </Button>
        </span>
        {ops.problems.length > 0 && (
          <Notice tone="degraded" title="The files are refused; what was loaded before stays in force">
            <Lines lines={ops.problems} />
          </Notice>
        )}
        {ops.warnings.length > 0 && (
          <Notice title="Warnings">
            <Lines lines={ops.warnings} />
          </Notice>
        )}
      </div>
    </Section>
  );
}

function Lines({ lines }: { lines: readonly string[] }) {
  return lines.map((line) => (
    <div key={line} className="mono">
      {line}
    </div>
  ));
}

function Jobs({ status: { jobs } }: { status: Status }) {
  return (
    <Section title="Jobs" aside="a job that crashes is started again">
      <table className={`${table.table} ${table.plain}`}>
        <thead>
          <tr>
            <th>Job</th>
            <th style={{ width: 110 }}>State</th>
            <th style={{ width: 76 }} data-align="right">
              Crashes
            </th>
            <th className={classes.optional} style={{ width: "50%" }}>
              Last error
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.name}>
              <td>{job.name}</td>
              <td>
                {job.is_running || job.last_error ? <StatusMark verdict={job.is_running ? "up" : "down"} /> : <span className="faint">finished</span>}
              </td>
              <td data-align="right" className="dim">
                {job.crashes}
              </td>
              <td className={`${classes.optional} dim`} data-tip={job.last_error || undefined}>
                {job.last_error}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
