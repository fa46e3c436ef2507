// What a dashboard was, the newest first; an old state is brought back by saving it anew.
import { Button, Drawer } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { versionQuery, versionsQuery } from "@/api/dashboardQueries";
import type { Dashboard, DashboardDocument } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { QueryView, SkeletonRows } from "@/components/states";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { useNames } from "@/state/session";
import classes from "./Dashboard.module.css";

interface VersionsDrawerProps {
  dashboard: Dashboard;
  isOpen: boolean;
  onClose: () => void;
  onRestore: ((document: DashboardDocument) => void) | null;
}

export function VersionsDrawer({ dashboard, isOpen, onClose, onRestore }: VersionsDrawerProps) {
  return (
    <Drawer opened={isOpen} onClose={onClose} position="right" size={440} title="Versions" closeButtonProps={{ "aria-label": "Close" }}>
      {isOpen && <Versions dashboard={dashboard} onRestore={onRestore} />}
    </Drawer>
  );
}

function Versions({ dashboard, onRestore }: Pick<VersionsDrawerProps, "dashboard" | "onRestore">) {
  const query = useQuery(versionsQuery(dashboard.id));
  const names = useNames();
  const client = useQueryClient();
  const fetching = useMutation({ mutationFn: (version: number) => client.fetchQuery(versionQuery(dashboard.id, version)), onSuccess: (document) => onRestore?.(document) });
  return (
    <QueryView query={query} skeleton={<SkeletonRows rows={5} />}>
      {({ items }) => (
        <>
          {fetching.error && <FormProblem error={fetching.error} />}
          <ol className={classes.versions}>
            {items.map((one) => (
              <li key={one.version}>
                <div className="grow">
                  <div className="truncate">
                    <strong>Version {one.version}</strong>
                    {one.message && `: ${one.message}`}
                  </div>
                  <div className="faint small">
                    <When at={one.made_at} /> {actorName(one.made_by, names) ? `by ${actorName(one.made_by, names)}` : ""}
                  </div>
                </div>
                {one.version === dashboard.version ? (
                  <span className="faint small">now</span>
                ) : (
                  onRestore && (
                    <Button variant="default" onClick={() => fetching.mutate(one.version)} loading={fetching.isPending && fetching.variables === one.version}>
                      Restore
                    </Button>
                  )
                )}
              </li>
            ))}
          </ol>
        </>
      )}
    </QueryView>
  );
}
