// Windows in which checks may fail without counting: those from files, and those planned here.
import { Badge, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconTool } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { remove } from "@/api/client";
import { maintenanceQuery } from "@/api/queries";
import type { MaintenanceWindow } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { useMay } from "@/state/session";
import { NewWindowDialog } from "./NewWindowDialog";
import classes from "./Settings.module.css";

export function Maintenance() {
  const query = useQuery(maintenanceQuery);
  const [isOpen, dialog] = useDisclosure(false);
  const mayPlan = useMay("health.write");
  return (
    <>
      <div className={classes.intro}>
        <p>Checks go on during maintenance, but what they find counts neither as up nor as down, and changes nobody’s health.</p>
        <Button leftSection={<IconPlus size={14} />} onClick={dialog.open} disabled={!mayPlan}>
          Plan maintenance
        </Button>
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={4} />}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No maintenance is planned" icon={<IconTool size={32} stroke={1.4} />}>
              Plan a window here before you take something down on purpose.
            </Empty>
          ) : (
            <WindowTable windows={items} />
          )
        }
      </QueryView>
      <NewWindowDialog isOpen={isOpen} onClose={dialog.close} />
    </>
  );
}

function WindowTable({ windows }: { windows: readonly MaintenanceWindow[] }) {
  const client = useQueryClient();
  const mayPlan = useMay("health.write");
  const [doomed, setDoomed] = useState<MaintenanceWindow | null>(null);
  const cancel = useMutation({
    mutationFn: (window: MaintenanceWindow) => remove(`/maintenance/${encodeURIComponent(window.id)}`),
    onSuccess: async () => {
      setDoomed(null);
      await client.invalidateQueries({ queryKey: maintenanceQuery.queryKey });
    },
  });
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th className={classes.optional}>Covers</th>
            <th className={`${classes.time} ${classes.optional}`}>Starts</th>
            <th className={classes.time}>Ends</th>
            <th className={classes.action}>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {windows.map((window) => (
            <tr key={window.id}>
              <td data-tip={window.reason || undefined}>
                <span className="row">
                  <span className="truncate">{window.name}</span>
                  {window.open && (
                    <Badge size="sm" variant="default" radius="sm">
                      open now
                    </Badge>
                  )}
                </span>
              </td>
              <td className={`${classes.optional} dim`}>{covers(window)}</td>
              <td className={`${classes.optional} dim`}>{window.cron ? <span className="mono">{window.cron}</span> : <When at={window.starts_at} />}</td>
              <td className="dim">
                <When at={window.ends_at} />
              </td>
              <td data-align="right">
                {window.from_file ? (
                  <span className="faint small" data-tip="Change it in the ops folder">
                    from a file
                  </span>
                ) : (
                  mayPlan && (
                    <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setDoomed(window)}>
                      {window.open ? "End" : "Call off"}
                    </Button>
                  )
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Confirm isOpen={doomed !== null} title={`End “${doomed?.name ?? ""}”?`} action="End maintenance" onConfirm={() => doomed && cancel.mutate(doomed)} onClose={() => setDoomed(null)} isPending={cancel.isPending} error={cancel.error}>
        Its checks count again at once.
      </Confirm>
    </>
  );
}

function covers({ selector }: MaintenanceWindow): string {
  const labels = Object.entries(selector.labels).map(([name, value]) => `${name}=${value}`);
  return [...selector.services, ...selector.checks, ...labels].join(", ") || "everything";
}
