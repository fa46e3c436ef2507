// All saved searches by folder: opened, shared or kept for oneself, deleted.
import { ActionIcon, Badge, SegmentedControl } from "@mantine/core";
import { IconLock, IconStar, IconTrash, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { changeSearch, deleteSearch, searchesQuery } from "@/api/savedQueries";
import type { SavedSearch } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { FilterInput } from "@/components/FilterInput";
import { Go } from "@/components/Go";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { plural } from "@/lib/format";
import { groupBy } from "@/lib/group";
import { savedPath } from "@/lib/saved";
import { matchesText } from "@/lib/text";
import { useMay, useNames } from "@/state/session";
import { useUrlFilter } from "@/state/timerange";
import classes from "./Saved.module.css";

const KINDS = [
  { value: "", label: "All" },
  { value: "logs", label: "Logs" },
  { value: "traces", label: "Traces" },
  { value: "metrics", label: "Metrics" },
];

export function Saved() {
  const query = useQuery(searchesQuery);
  const [text] = useUrlFilter("q");
  const [kind, setKind] = useUrlFilter("kind");
  const wanted = (items: readonly SavedSearch[]): SavedSearch[] => items.filter((one) => (kind === "" || one.kind === kind) && matchesText(text, [one.name, one.folder, one.query, ...one.tags]));
  return (
    <Page title="Saved searches" name="Saved searches" subtitle={query.data ? plural(query.data.items.length, "search", "searches") : "\u00a0"}>
      <div className={classes.filters}>
        <FilterInput name="q" placeholder="Filter saved searches" />
        <SegmentedControl size="xs" aria-label="Kind" value={kind} onChange={setKind} data={KINDS} />
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={6} />}>
        {({ items }) => <Folders items={wanted(items)} isEmpty={items.length === 0} />}
      </QueryView>
    </Page>
  );
}

function Folders({ items, isEmpty }: { items: readonly SavedSearch[]; isEmpty: boolean }) {
  const folders = useMemo(() => [...groupBy(items, (one) => one.folder)], [items]);
  const [doomed, setDoomed] = useState<SavedSearch | null>(null);
  const client = useQueryClient();
  const drop = useMutation({
    mutationFn: (id: string) => deleteSearch(id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["searches"] });
      setDoomed(null);
    },
  });
  if (isEmpty)
    return (
      <Empty title="No saved searches yet" icon={<IconStar size={32} stroke={1.4} />} snippet={`holdfast saved add refusals '{service_name="shop"} |= "refused"'`}>
        The explorers of logs, traces and metrics save what they show: the star at the top right.
      </Empty>
    );
  if (items.length === 0) return <Empty title="No saved search matches">Names, folders, queries and tags are searched.</Empty>;
  return (
    <>
      {folders.map(([folder, list]) => (
        <Section key={folder} title={folder || "Without a folder"}>
          <List items={list} onDelete={setDoomed} />
        </Section>
      ))}
      <Confirm isOpen={doomed !== null} title="Delete this search?" action="Delete" isPending={drop.isPending} error={drop.error} onClose={() => setDoomed(null)} onConfirm={() => doomed && drop.mutate(doomed.id)}>
        {doomed?.is_shared ? `Nobody will find “${doomed.name}” any more.` : `“${doomed?.name}” is gone then.`}
      </Confirm>
    </>
  );
}

function List({ items, onDelete }: { items: readonly SavedSearch[]; onDelete: (search: SavedSearch) => void }) {
  return (
    <div className={table.scroll}>
      <table className={`${table.table} ${classes.list}`}>
        <thead>
          <tr>
            <th scope="col" className={classes.name}>Name</th>
            <th scope="col" className={classes.kind}>Kind</th>
            <th scope="col">Query</th>
            <th scope="col" className={classes.owner}>Owner</th>
            <th scope="col" className={classes.changed}>Changed</th>
            <th scope="col" className={classes.ways}><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <Row key={one.id} search={one} onDelete={() => onDelete(one)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ search, onDelete }: { search: SavedSearch; onDelete: () => void }) {
  const names = useNames();
  const mayShare = useMay("searches.share");
  const client = useQueryClient();
  const share = useMutation({
    mutationFn: ({ kind, name, query, view, folder, tags, is_shared, id }: SavedSearch) => changeSearch(id, { kind, name, query, view, folder, tags, is_shared: !is_shared }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["searches"] }),
  });
  const toggle = search.is_shared ? "Keep it for yourself" : "Share it with the tenant";
  return (
    <tr>
      <td className={classes.name}>
        <Go to={savedPath(search)} className={table.rowLink} data-row>
          {search.name}
        </Go>{" "}
        {search.tags.map((tag) => (
          <Badge key={tag} size="sm" variant="default" mr={4}>
            {tag}
          </Badge>
        ))}
      </td>
      <td className={`${classes.kind} dim`}>{search.kind}</td>
      <td className="mono dim" title={search.query}>{search.query}</td>
      <td className={`${classes.owner} faint`}>{search.is_own ? "you" : (actorName(search.owner, names) ?? search.owner)}</td>
      <td className={`${classes.changed} faint`}>
        <When at={search.updated_at} />
      </td>
      <td className={`${classes.ways} ${table.above}`}>
        {search.is_own ? (
          <ActionIcon size="sm" aria-label={`${toggle}: ${search.name}`} data-tip={toggle} disabled={!mayShare && !search.is_shared} loading={share.isPending} onClick={() => share.mutate(search)}>
            {search.is_shared ? <IconUsers size={14} /> : <IconLock size={14} />}
          </ActionIcon>
        ) : (
          <IconUsers size={14} aria-label="shared" className="faint" />
        )}
        {search.is_own && (
          <ActionIcon size="sm" aria-label={`Delete ${search.name}`} data-tip="Delete" onClick={onDelete}>
            <IconTrash size={14} />
          </ActionIcon>
        )}
      </td>
    </tr>
  );
}
