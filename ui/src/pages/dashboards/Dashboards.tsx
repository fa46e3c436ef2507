// All dashboards by folder: those of people and those of files.
import { Badge, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFileImport, IconLayoutDashboard, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { dashboardsQuery } from "@/api/dashboardQueries";
import type { Dashboard } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { Go } from "@/components/Go";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { plural } from "@/lib/format";
import { groupBy } from "@/lib/group";
import { matchesText } from "@/lib/text";
import { useMay, useNames } from "@/state/session";
import { useCarry, useUrlFilter } from "@/state/timerange";
import { ImportDialog } from "./ImportDialog";
import classes from "./Dashboards.module.css";

export function Dashboards() {
  const query = useQuery(dashboardsQuery);
  const [text] = useUrlFilter("q");
  const [isImporting, importing] = useDisclosure(false);
  const mayWrite = useMay("dashboards.write");
  const navigate = useNavigate();
  const carry = useCarry();
  return (
    <Page
      title="Dashboards"
      name="Dashboards"
      subtitle={query.data ? plural(query.data.items.length, "dashboard") : "\u00a0"}
      actions={
        mayWrite && (
          <>
            <Button variant="default" leftSection={<IconFileImport size={14} />} onClick={importing.open}>
              Import from Grafana
            </Button>
            <Button leftSection={<IconPlus size={14} />} onClick={() => void navigate(carry("/dashboards/new"))}>
              New dashboard
            </Button>
          </>
        )
      }
    >
      <FilterInput name="q" placeholder="Filter dashboards" />
      <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
        {({ items }) => <Folders items={items.filter((one) => matchesText(text, [one.title, one.folder, ...one.tags]))} isFiltered={Boolean(text)} />}
      </QueryView>
      <ImportDialog isOpen={isImporting} onClose={importing.close} />
    </Page>
  );
}

function Folders({ items, isFiltered }: { items: readonly Dashboard[]; isFiltered: boolean }) {
  const folders = useMemo(() => [...groupBy(items, (one) => one.folder)], [items]);
  if (items.length === 0) {
    return isFiltered ? (
      <Empty title="No dashboard matches">Titles, folders and tags are searched.</Empty>
    ) : (
      <Empty title="No dashboards yet" icon={<IconLayoutDashboard size={32} stroke={1.4} />} snippet="cp node-exporter.json ops/dashboards/">
        Make one here, import the JSON of one of Grafana's, or keep files in ops/dashboards: ours and Grafana's both work there.
      </Empty>
    );
  }
  return (
    <>
      {folders.map(([folder, list]) => (
        <Section key={folder} title={folder || "Without a folder"}>
          <List items={list} />
        </Section>
      ))}
    </>
  );
}

function List({ items }: { items: readonly Dashboard[] }) {
  const names = useNames();
  return (
    <div className={table.scroll}>
      <table className={`${table.table} ${classes.list}`}>
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col" className={classes.tags}>Tags</th>
            <th scope="col" className={classes.source}>Lives in</th>
            <th scope="col" className={classes.changed}>Changed</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td>
                <Go to={`/dashboards/${encodeURIComponent(one.id)}`} className={table.rowLink} data-row>
                  {one.title}
                </Go>
              </td>
              <td className={classes.tags}>
                {one.tags.map((tag) => (
                  <Badge key={tag} size="sm" variant="default" mr={4}>
                    {tag}
                  </Badge>
                ))}
              </td>
              <td className={`faint ${classes.source}`}>{one.source === "file" ? "ops/dashboards" : "the console"}</td>
              <td className={`faint ${classes.changed}`}>
                <When at={one.updated_at} /> <span className={classes.by}>{one.source === "console" && actorName(one.updated_by, names) ? `by ${actorName(one.updated_by, names)}` : ""}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
