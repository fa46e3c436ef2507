// One cell: what it is, what was asked, what was seen then, a remark; moved, changed and removed from its head.
import { ActionIcon, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowDown, IconArrowUp, IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { moveCell, removeCell } from "@/api/investigationQueries";
import type { InvestigationCell } from "@/api/types";
import { Go } from "@/components/Go";
import { Markdown } from "@/components/Markdown";
import { problemOf } from "@/components/states";
import { When } from "@/components/When";
import { cellPath, cellTitle } from "@/lib/cells";
import { actorName } from "@/lib/events";
import { formatAbsolute } from "@/lib/time";
import { useNames } from "@/state/session";
import { EvidenceView } from "./EvidenceView";
import { NoteForm } from "./NoteForm";
import classes from "./Investigation.module.css";

interface CellProps {
  investigation: string;
  cell: InvestigationCell;
  mayWrite: boolean;
  /** The cell behind which it would stand if it moved up; null for the beginning. */
  above: string | null;
  isFirst: boolean;
  below: string | undefined;
}

export function CellView({ investigation, cell, mayWrite, above, isFirst, below }: CellProps) {
  const [isWriting, setWriting] = useState(false);
  const isNote = cell.kind === "note";
  return (
    <article className={classes.cell} data-kind={cell.kind} aria-label={cellTitle(cell)}>
      <header className={classes.head}>
        {isNote ? <span className="grow" /> : <Head cell={cell} />}
        <Author cell={cell} />
        {mayWrite && <CellMenu investigation={investigation} cell={cell} above={above} isFirst={isFirst} below={below} onWrite={() => setWriting(true)} />}
      </header>
      {!isNote && <EvidenceView cell={cell} />}
      {isWriting ? <NoteForm investigation={investigation} cell={cell} onClose={() => setWriting(false)} /> : cell.content.text && <Markdown text={cell.content.text} />}
    </article>
  );
}

function Head({ cell }: { cell: InvestigationCell }) {
  const path = cellPath(cell);
  const title = cellTitle(cell);
  const { start, end } = cell.content;
  return (
    <h2 className={`grow ${classes.cellTitle}`}>
      {path ? (
        <Go to={path} className="link">
          {title}
        </Go>
      ) : (
        title
      )}
      {start && end && (
        <span className={classes.time}>
          {formatAbsolute(new Date(start))} to {formatAbsolute(new Date(end))}
        </span>
      )}
    </h2>
  );
}

function Author({ cell }: { cell: InvestigationCell }) {
  const names = useNames();
  const by = actorName(cell.updated_by, names);
  return (
    <span className={`${classes.author} faint small`}>
      {by && `${by} `}
      <When at={cell.updated_at} />
    </span>
  );
}

function CellMenu({ investigation, cell, above, isFirst, below, onWrite }: Omit<CellProps, "mayWrite"> & { onWrite: () => void }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onSettled: () => void client.invalidateQueries({ queryKey: ["investigations"] }),
    onError: (error) => {
      const problem = problemOf(error);
      notifications.show({ color: "red", title: problem.title, message: problem.detail ?? "" });
    },
  });
  const isNote = cell.kind === "note";
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size="sm" aria-label={`Change ${cellTitle(cell)}`} loading={change.isPending}>
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={14} />} onClick={onWrite}>
          {isNote ? "Change the note" : "Write a remark"}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowUp size={14} />} disabled={isFirst} onClick={() => change.mutate(() => moveCell(investigation, cell.id, above))}>
          Move up
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowDown size={14} />} disabled={below === undefined} onClick={() => change.mutate(() => moveCell(investigation, cell.id, below ?? null))}>
          Move down
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={14} />} onClick={() => change.mutate(() => removeCell(investigation, cell.id))}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
