// Changes a dashboard: its name, variables, rows and panels, with what it shows always in sight.
import { ActionIcon, Button, Checkbox, Modal, Select, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCopy, IconPencil, IconPlus, IconTrash, IconVariable } from "@tabler/icons-react";
import { useMemo, useRef, useState } from "react";
import type { DashboardDocument, DashboardPanel } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { FormProblem } from "@/components/FormProblem";
import { Notice } from "@/components/Notice";
import { Page } from "@/components/Page";
import { problemOf } from "@/components/states";
import { blankDocument, blankPanel, freeId, moveRow, withoutPanel, withPanel } from "@/lib/dashboards";
import { useArranging } from "./arranging";
import { useDraft } from "./draft";
import { PanelEditor } from "./PanelEditor";
import { VariablesContext, ShownContext } from "./panels/data";
import { Rows } from "./Rows";
import { Steps } from "./Steps";
import { VariableBar } from "./VariableBar";
import { VariablesEditor } from "./VariablesEditor";
import { useVariables } from "./variables";
import classes from "./Dashboard.module.css";

interface BuilderProps {
  id: string | null;
  started: { document: DashboardDocument; version: number };
  onDone: () => void;
}

export function Builder({ id, started, onDone }: BuilderProps) {
  const draft = useDraft(id, started, onDone);
  const { document, change } = draft;
  const { states, chosen, known, choose } = useVariables(document.variables);
  const [open, setOpen] = useState<{ panel: DashboardPanel; row: number } | null>(null);
  const [isVariables, setVariables] = useState(false);
  const isTouched = useRef(false);
  const [isClosing, setClosing] = useState(false);
  const [message, setMessage] = useState("");
  const shown = useMemo(() => ({ exemplars: document.exemplars, events: document.events }), [document.exemplars, document.events]);
  const arranging = useArranging(document, change);
  const changeTags = (text: string): void => {
    const tags = words(text);
    if (tags.join() !== document.tags.join()) change({ ...document, tags });
  };
  const edit = (panel: DashboardPanel, row: number): void => {
    isTouched.current = false;
    setOpen({ panel, row });
  };
  const editVariables = (): void => {
    isTouched.current = false;
    setVariables(true);
  };
  // An Escape that opens or closes the question is heard by the dialog below as well: the other state comes after it.
  const ask = (isAsked: boolean): void => void setTimeout(() => setClosing(isAsked));
  const closeDialog = (): void => {
    ask(false);
    setOpen(null);
    setVariables(false);
  };
  const closeUnlessTouched = (): void => (isTouched.current ? ask(true) : closeDialog());
  const touch = (): void => void (isTouched.current = true);
  return (
    <VariablesContext value={known}>
      <Page
        title={id === null ? "New dashboard" : `Editing ${started.document.title}`}
        name={document.title || "Dashboard"}
        actions={
          <>
            <Steps {...draft.steps} />
            <Button variant="default" onClick={draft.leave}>
              {draft.isChanged ? "Discard" : "Close"}
            </Button>
            <Button onClick={() => draft.save(message)} loading={draft.isSaving} disabled={document.title.trim() === ""}>
              Save
            </Button>
          </>
        }
      >
        {draft.isConflict && draft.error ? (
          <Notice title={problemOf(draft.error).detail ?? "Somebody else saved it meanwhile."}>
            <span className="row wrap">
              What you changed is still here. Saving over it makes yours the newest version; the other one stays among the versions.
              <Button variant="default" size="compact-xs" onClick={() => draft.saveOver(message)} loading={draft.isSaving}>
                Save over it
              </Button>
            </span>
          </Notice>
        ) : (
          draft.error && <FormProblem error={draft.error} />
        )}
        <div className={classes.settings}>
          <TextInput label="Title" value={document.title} onChange={(event) => change({ ...document, title: event.currentTarget.value }, "title")} data-autofocus={id === null || undefined} />
          <TextInput label="Description" placeholder="what it is for" value={document.description} onChange={(event) => change({ ...document, description: event.currentTarget.value }, "description")} />
          <TextInput label="Folder" value={document.folder} onChange={(event) => change({ ...document, folder: event.currentTarget.value }, "folder")} />
          <TextInput key={document.tags.join()} label="Tags, by commas" defaultValue={document.tags.join(", ")} onBlur={(event) => changeTags(event.currentTarget.value)} />
          <Select label="Refresh" data={refreshChoices(document.refresh)} value={document.refresh} onChange={(refresh) => change({ ...document, refresh: refresh ?? "" })} />
          <TextInput label="What changed" placeholder="a note for the versions" value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
          <Button variant="default" leftSection={<IconVariable size={14} />} onClick={editVariables}>
            Variables ({document.variables.length})
          </Button>
          <Checkbox size="xs" label="Exemplars on curves" checked={document.exemplars} onChange={(event) => change({ ...document, exemplars: event.currentTarget.checked })} />
          <Checkbox size="xs" label="Events on curves" checked={document.events} onChange={(event) => change({ ...document, events: event.currentTarget.checked })} />
        </div>
        <VariableBar states={states} chosen={chosen} onChoose={choose} />
        <ShownContext value={shown}>
          <Rows
            rows={document.rows}
            chosen={chosen}
            rowTools={(at) => <RowTools document={document} at={at} onChange={change} onAdd={() => edit(blankPanel(document), at)} />}
            arranging={arranging}
            panelTools={(panel) => <PanelTools document={document} panel={panel} onChange={change} onOpen={() => edit(panel, 0)} />}
          />
        </ShownContext>
        <p role="status" className="visually-hidden">
          {arranging.said}
        </p>
        <div>
          <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => change({ ...document, rows: [...document.rows, { title: "New row", collapsed: false, panels: [] }] })}>
            Add row
          </Button>
        </div>
        <Modal opened={open !== null} onClose={closeUnlessTouched} closeOnEscape={!isClosing} title="Panel" size={1180} closeButtonProps={{ "aria-label": "Close" }}>
          {open && (
            <PanelEditor
              panel={open.panel}
              chosen={chosen}
              onClose={closeDialog}
              onTouch={touch}
              onDone={(panel) => {
                change(withPanel(document, open.row, panel));
                closeDialog();
              }}
            />
          )}
        </Modal>
        <Modal opened={isVariables} onClose={closeUnlessTouched} closeOnEscape={!isClosing} title="Variables" size={760} closeButtonProps={{ "aria-label": "Close" }}>
          {isVariables && (
            <VariablesEditor
              variables={document.variables}
              onTouch={touch}
              onDone={(variables) => {
                change({ ...document, variables });
                closeDialog();
              }}
            />
          )}
        </Modal>
        <Confirm isOpen={isClosing} title={`Discard what you changed ${isVariables ? "of the variables" : "in this panel"}?`} action="Discard it" isPending={false} error={null} onClose={() => ask(false)} onConfirm={closeDialog}>
          {isVariables ? "The variables become what they were before." : "The panel becomes what it was before."}
        </Confirm>
        <Confirm isOpen={draft.leaving !== null} title="Leave without saving?" action="Discard changes" isPending={false} error={null} onClose={() => draft.leaving?.stay()} onConfirm={() => draft.leaving?.go()}>
          What you changed in this dashboard is not saved and would be lost.
        </Confirm>
      </Page>
    </VariablesContext>
  );
}

const REFRESHES = ["5s", "10s", "30s", "1m", "5m", "15m", "1h"];

function refreshChoices(current: string): { value: string; label: string }[] {
  const known = [...new Set([...REFRESHES, current])].filter(Boolean);
  return [{ value: "", label: "as fits the time range" }, ...known.map((value) => ({ value, label: `every ${value}` }))];
}

export function words(text: string): string[] {
  return [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];
}

interface ToolsProps {
  document: DashboardDocument;
  onChange: (document: DashboardDocument, group?: string) => void;
}

function RowTools({ document, at, onChange, onAdd }: ToolsProps & { at: number; onAdd: () => void }) {
  const row = document.rows[at];
  if (!row) return null;
  const rename = (title: string): void => onChange({ ...document, rows: document.rows.map((one, place) => (place === at ? { ...one, title } : one)) }, `row ${at}`);
  // Keys go with the row that they move.
  const move = (step: 1 | -1): void => {
    onChange({ ...document, rows: moveRow(document.rows, at, step) });
    focusSoon(`[data-row-tool="${at + step}/${step > 0 ? "down" : "up"}"]:enabled`, `[data-row-tool="${at + step}/${step > 0 ? "up" : "down"}"]`);
  };
  const drop = (): void => {
    onChange({ ...document, rows: document.rows.filter((_, place) => place !== at) });
    focusSoon(`[data-row-tool="${Math.min(at, document.rows.length - 2)}/add"]`);
  };
  return (
    <div className={classes.rowTools}>
      <TextInput className={classes.rowName} aria-label={`Title of row ${at + 1}`} placeholder="Row without a title" value={row.title} onChange={(event) => rename(event.currentTarget.value)} />
      <Button variant="default" leftSection={<IconPlus size={14} />} onClick={onAdd} data-row-tool={`${at}/add`}>
        Add panel
      </Button>
      <ActionIcon aria-label={`Move row ${at + 1} up`} data-row-tool={`${at}/up`} disabled={at === 0} onClick={() => move(-1)}>
        <IconArrowUp size={15} />
      </ActionIcon>
      <ActionIcon aria-label={`Move row ${at + 1} down`} data-row-tool={`${at}/down`} disabled={at === document.rows.length - 1} onClick={() => move(1)}>
        <IconArrowDown size={15} />
      </ActionIcon>
      <ActionIcon aria-label={`Remove row ${at + 1}`} disabled={document.rows.length === 1} onClick={drop}>
        <IconTrash size={15} />
      </ActionIcon>
    </div>
  );
}

function PanelTools({ document, panel, onChange, onOpen }: ToolsProps & { panel: DashboardPanel; onOpen: () => void }) {
  const name = panel.title || "panel";
  const copy = (): void => {
    const row = document.rows.findIndex((one) => one.panels.some((other) => other.id === panel.id));
    onChange(withPanel(document, row, { ...panel, id: freeId(document) }));
  };
  const drop = (): void => {
    const row = document.rows.findIndex((one) => one.panels.some((other) => other.id === panel.id));
    const panels = document.rows[row]?.panels ?? [];
    const place = panels.findIndex((one) => one.id === panel.id);
    const next = panels[place + 1] ?? panels[place - 1];
    onChange(withoutPanel(document, panel.id));
    focusSoon(next ? `[data-panel="${CSS.escape(next.id)}"] [data-arrange="move"]` : `[data-row-tool="${row}/add"]`);
  };
  return (
    <span className="row">
      <ActionIcon size="sm" aria-label={`Edit ${name}`} data-tip="Edit" onClick={onOpen}>
        <IconPencil size={14} />
      </ActionIcon>
      <ActionIcon size="sm" aria-label={`Copy ${name}`} data-tip="Copy" onClick={copy}>
        <IconCopy size={14} />
      </ActionIcon>
      <ActionIcon size="sm" aria-label={`Remove ${name}`} data-tip="Remove" onClick={drop}>
        <IconTrash size={14} />
      </ActionIcon>
    </span>
  );
}

/** What had the focus goes or becomes another element: the first of these that is there has it next. */
function focusSoon(...selectors: string[]): void {
  requestAnimationFrame(() => selectors.flatMap((one) => window.document.querySelector<HTMLElement>(one) ?? [])[0]?.focus());
}

const BLANK = { document: blankDocument("New dashboard"), version: 0 };

export { BLANK };
