// What was saved of an explorer, and the way to save what it shows now.
import { Button, Checkbox, Menu, Modal, TagsInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconStar, IconStarFilled, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { saveSearch, searchesQuery } from "@/api/savedQueries";
import type { SavedSearch, SearchKind } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { Go } from "@/components/Go";
import { savedPath, viewOf } from "@/lib/saved";
import { useMay } from "@/state/session";
import { useCarry } from "@/state/timerange";
import classes from "./Collect.module.css";

const SHOWN = 15;

interface SavedProps {
  kind: SearchKind;
  /** What is asked now, in words; empty where nothing is asked. */
  query: string;
}

export function SavedMenu({ kind, query }: SavedProps) {
  const [params] = useSearchParams();
  const [isSaving, saving] = useDisclosure(false);
  const found = useQuery(searchesQuery).data?.items.filter((one) => one.kind === kind) ?? [];
  const view = viewOf(params);
  const isSaved = found.some((one) => one.view === view);
  const navigate = useNavigate();
  const carry = useCarry();
  const maySave = useMay("searches.write");
  return (
    <>
      <Menu position="bottom-end" width={320}>
        <Menu.Target>
          <Button variant="default" leftSection={isSaved ? <IconStarFilled size={14} /> : <IconStar size={14} />} data-tip="Saved searches">
            Saved
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={classes.menu}>
          {maySave && (
            <Menu.Item leftSection={<IconStar size={14} />} disabled={query === "" || isSaved} onClick={saving.open}>
              {isSaved ? "This is saved" : "Save this search"}
            </Menu.Item>
          )}
          <Menu.Divider />
          {found.length === 0 && <Menu.Label>Nothing is saved yet</Menu.Label>}
          {found.slice(0, SHOWN).map((one) => (
            <Menu.Item key={one.id} onClick={() => void navigate(carry(savedPath(one)))} rightSection={one.is_shared ? <IconUsers size={13} aria-label="shared" /> : undefined}>
              <Entry search={one} />
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item component={Go} to={`/saved?kind=${kind}`}>
            All saved searches
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={isSaving} onClose={saving.close} title="Save this search" closeButtonProps={{ "aria-label": "Close" }}>
        {isSaving && <SaveForm kind={kind} query={query} view={view} onClose={saving.close} />}
      </Modal>
    </>
  );
}

function Entry({ search }: { search: SavedSearch }) {
  return (
    <span className={classes.entry}>
      <span className="truncate">{search.folder ? `${search.folder} / ${search.name}` : search.name}</span>
      {search.query && <span className="mono faint small truncate">{search.query}</span>}
    </span>
  );
}

function SaveForm({ kind, query, view, onClose }: SavedProps & { view: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [folder, setFolder] = useState("");
  const [tags, setTags] = useState<string[]>([]);
  const [isShared, setShared] = useState(false);
  const mayShare = useMay("searches.share");
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => saveSearch({ kind, name: name.trim(), query: query.slice(0, 16_384), view, folder: folder.trim(), tags, is_shared: isShared }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["searches"] });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput size="xs" label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={200} required data-autofocus />
      <TextInput size="xs" label="Folder" value={folder} onChange={(event) => setFolder(event.currentTarget.value)} maxLength={200} />
      <TagsInput size="xs" label="Tags" value={tags} onChange={setTags} maxTags={20} />
      <Checkbox size="xs" label="For everybody of this tenant" checked={isShared} disabled={!mayShare} onChange={(event) => setShared(event.currentTarget.checked)} />
      <pre className={classes.query}>{query}</pre>
      {save.error && <FormProblem error={save.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={name.trim() === ""}>
          Save
        </Button>
      </div>
    </form>
  );
}
