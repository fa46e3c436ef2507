// One investigation: its cells in order, each with what was seen; notes are written between them. Others may work on it too.
import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDots, IconDownload, IconLink, IconNotebook, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { deleteInvestigation, exportAddress, investigationQuery, renameInvestigation } from "@/api/investigationQueries";
import type { InvestigationDetail } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { FormProblem } from "@/components/FormProblem";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { When } from "@/components/When";
import { actorName } from "@/lib/events";
import { plural } from "@/lib/format";
import { useMay, useNames } from "@/state/session";
import { useCarry } from "@/state/timerange";
import { CellView } from "./CellView";
import { NoteForm } from "./NoteForm";
import classes from "./Investigation.module.css";

export function Investigation() {
  const id = useParams()["id"] ?? "";
  const query = useQuery(investigationQuery(id));
  const title = query.data?.investigation.title ?? "Investigation";
  const [isNaming, setNaming] = useState(false);
  const mayWrite = useMay("investigations.write");
  return (
    <Page
      title={isNaming && query.data ? <TitleForm id={id} title={title} onClose={() => setNaming(false)} /> : title}
      name={title}
      subtitle={query.data ? <Subtitle detail={query.data} /> : "\u00a0"}
      actions={query.data && <Actions id={id} title={title} mayWrite={mayWrite} onRename={() => setNaming(true)} />}
    >
      <QueryView query={query} skeleton={<><SkeletonBlock height={120} /><SkeletonBlock height={200} /></>} list={{ to: "/investigations", text: "All investigations" }}>
        {(detail) => <Cells detail={detail} mayWrite={mayWrite} />}
      </QueryView>
    </Page>
  );
}

function Cells({ detail, mayWrite }: { detail: InvestigationDetail; mayWrite: boolean }) {
  const { investigation, cells } = detail;
  const [isWriting, setWriting] = useState(false);
  return (
    <div className={classes.page}>
      {cells.length === 0 && !isWriting && (
        <Empty title="Nothing is collected yet" icon={<IconNotebook size={32} stroke={1.4} />}>
          Metrics, Logs, Traces and the page around a moment have a button “Add to”. Write down first what you are looking for.
        </Empty>
      )}
      {cells.map((cell, place) => (
        <CellView key={cell.id} investigation={investigation.id} cell={cell} mayWrite={mayWrite} above={cells[place - 2]?.id ?? null} isFirst={place === 0} below={cells[place + 1]?.id} />
      ))}
      {mayWrite &&
        (isWriting ? (
          <NoteForm investigation={investigation.id} onClose={() => setWriting(false)} />
        ) : (
          <div>
            <Button variant="default" leftSection={<IconPlus size={14} />} onClick={() => setWriting(true)}>
              Add a note
            </Button>
          </div>
        ))}
    </div>
  );
}

function Subtitle({ detail }: { detail: InvestigationDetail }) {
  const names = useNames();
  const { investigation, cells } = detail;
  const by = actorName(investigation.updated_by, names);
  return (
    <>
      {plural(cells.length, "cell")}, changed <When at={investigation.updated_at} />
      {by ? ` by ${by}` : ""}
    </>
  );
}

function Actions({ id, title, mayWrite, onRename }: { id: string; title: string; mayWrite: boolean; onRename: () => void }) {
  const [isDoomed, setDoomed] = useState(false);
  const navigate = useNavigate();
  const carry = useCarry();
  const client = useQueryClient();
  const drop = useMutation({
    mutationFn: () => deleteInvestigation(id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["investigations", "list"] });
      void navigate(carry("/investigations"));
    },
  });
  const share = async (): Promise<void> => {
    const link = `${location.origin}/investigations/${encodeURIComponent(id)}`;
    try {
      await navigator.clipboard.writeText(link);
      notifications.show({ message: "The link is copied. Everybody of this tenant who may read investigations can open it." });
    } catch {
      // Browsers give no clipboard to pages over plain HTTP.
      notifications.show({ message: link });
    }
  };
  return (
    <>
      <Button variant="default" leftSection={<IconLink size={14} />} onClick={() => void share()}>
        Share
      </Button>
      <Button component="a" href={exportAddress(id)} download={`${title.replaceAll(/[^\w-]+/g, "-")}.md`} variant="default" leftSection={<IconDownload size={14} />}>
        Markdown
      </Button>
      {mayWrite && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon size={30} variant="default" aria-label="More">
              <IconDots size={15} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={14} />} onClick={onRename}>
              Rename
            </Menu.Item>
            <Menu.Item leftSection={<IconTrash size={14} />} onClick={() => setDoomed(true)}>
              Delete
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <Confirm isOpen={isDoomed} title="Delete this investigation?" action="Delete" isPending={drop.isPending} error={drop.error} onClose={() => setDoomed(false)} onConfirm={() => drop.mutate()}>
        Its cells, and what was seen then, are gone with it.
      </Confirm>
    </>
  );
}

function TitleForm({ id, title, onClose }: { id: string; title: string; onClose: () => void }) {
  const [text, setText] = useState(title);
  const client = useQueryClient();
  const rename = useMutation({
    mutationFn: () => renameInvestigation(id, text.trim()),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["investigations"] });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim()) rename.mutate();
  };
  return (
    <form className={classes.titleForm} onSubmit={submit}>
      <TextInput aria-label="Title" value={text} maxLength={200} onChange={(event) => setText(event.currentTarget.value)} data-autofocus autoFocus />
      <Button type="submit" loading={rename.isPending}>
        Save
      </Button>
      <Button variant="default" onClick={onClose}>
        Cancel
      </Button>
      {rename.error && <FormProblem error={rename.error} />}
    </form>
  );
}
