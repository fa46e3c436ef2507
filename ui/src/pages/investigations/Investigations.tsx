// All investigations, the one changed last first.
import { Button } from "@mantine/core";
import { IconNotebook, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { investigationPath, investigationsQuery, openInvestigation } from "@/api/investigationQueries";
import type { Investigation } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { FormProblem } from "@/components/FormProblem";
import { Go } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { plural } from "@/lib/format";
import { matchesText } from "@/lib/text";
import { formatAbsolute } from "@/lib/time";
import { useMay, useNames } from "@/state/session";
import { useCarry, useUrlFilter } from "@/state/timerange";
import classes from "./Investigation.module.css";

export function Investigations() {
  const query = useQuery(investigationsQuery);
  const [text] = useUrlFilter("q");
  const mayWrite = useMay("investigations.write");
  const navigate = useNavigate();
  const carry = useCarry();
  const client = useQueryClient();
  const begin = useMutation({
    mutationFn: () => openInvestigation(`Investigation of ${formatAbsolute(new Date())}`),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["investigations", "list"] });
      void navigate(carry(investigationPath(made.id)));
    },
  });
  return (
    <Page
      title="Investigations"
      name="Investigations"
      subtitle={query.data ? plural(query.data.items.length, "investigation") : "\u00a0"}
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} loading={begin.isPending} onClick={() => begin.mutate()}>
            New investigation
          </Button>
        )
      }
    >
      {begin.error && <FormProblem error={begin.error} />}
      <FilterInput name="q" placeholder="Filter investigations" />
      <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
        {({ items }) => <List items={items.filter((one) => matchesText(text, [one.title]))} isEmpty={items.length === 0} />}
      </QueryView>
    </Page>
  );
}

function List({ items, isEmpty }: { items: readonly Investigation[]; isEmpty: boolean }) {
  const names = useNames();
  if (isEmpty)
    return (
      <Empty title="No investigations yet" icon={<IconNotebook size={32} stroke={1.4} />}>
        Collect what you see while you look into something: graphs, searches, lines, traces and findings are added by “Add to” on their pages, and stay readable when the signals are gone.
      </Empty>
    );
  if (items.length === 0) return <Empty title="No investigation matches">Titles are searched.</Empty>;
  return (
    <div className={table.scroll}>
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col" className={classes.count} data-align="right">Cells</th>
            <th scope="col" className={classes.changed}>Changed</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td>
                <Go to={investigationPath(one.id)} className={table.rowLink} data-row>
                  {one.title}
                </Go>
              </td>
              <td className={`${classes.count} tabular`} data-align="right">{one.cells}</td>
              <td className={`faint ${classes.changed}`}>
                <When at={one.updated_at} /> <span className={classes.by}>{actorName(one.updated_by, names) ? `by ${actorName(one.updated_by, names)}` : ""}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
