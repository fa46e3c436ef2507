// Takes a dashboard of Grafana: first shows what it becomes and what has no counterpart, then keeps it.
import { Button, FileInput, Modal, Textarea } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { ApiError, post } from "@/api/client";
import type { DashboardImport } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { Notice } from "@/components/Notice";
import { plural } from "@/lib/format";
import { useCarry } from "@/state/timerange";
import classes from "./Dashboards.module.css";

export function ImportDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Import from Grafana" size={640} closeButtonProps={{ "aria-label": "Close" }}>
      {isOpen && <ImportForm onClose={onClose} />}
    </Modal>
  );
}

function ImportForm({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const carry = useCarry();
  const look = useMutation({ mutationFn: () => send(text, false) });
  const keep = useMutation({
    mutationFn: () => send(text, true),
    onSuccess: (found) => {
      void client.invalidateQueries({ queryKey: ["dashboards", "list"] });
      onClose();
      if (found.dashboard) void navigate(carry(`/dashboards/${encodeURIComponent(found.dashboard.id)}`));
    },
  });
  const change = (next: string): void => {
    setText(next);
    look.reset();
    keep.reset();
  };
  const error = keep.error ?? look.error;
  return (
    <div className={classes.file}>
      <FileInput size="xs" label="File" placeholder="Choose a .json file" accept="application/json,.json" leftSection={<IconFileText size={14} />} onChange={(file) => void file?.text().then(change)} />
      <Textarea size="xs" label="Or its JSON" autosize={false} rows={7} value={text} onChange={(event) => change(event.currentTarget.value)} placeholder={'{"title": "...", "panels": [...]}'} />
      {look.data && <Found found={look.data} />}
      {error && <FormProblem error={error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        {look.data ? (
          <Button onClick={() => keep.mutate()} loading={keep.isPending}>
            Keep it
          </Button>
        ) : (
          <Button onClick={() => look.mutate()} loading={look.isPending} disabled={text.trim() === ""}>
            See what it becomes
          </Button>
        )}
      </div>
    </div>
  );
}

async function send(text: string, isToKeep: boolean): Promise<DashboardImport> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new ApiError({ title: "This is no JSON", status: 0, detail: cause instanceof Error ? cause.message : "" });
  }
  return post<DashboardImport>(`/dashboards/import${isToKeep ? "?save=true" : ""}`, given);
}

function Found({ found }: { found: DashboardImport }) {
  const problems = found.problems ?? [];
  const panels = found.document.rows.reduce((sum, row) => sum + row.panels.length, 0);
  return (
    <Notice title={`“${found.document.title}” with ${plural(panels, "panel")} and ${plural(found.document.variables.length, "variable")}`}>
      {problems.length === 0 ? (
        "All of it has a counterpart here."
      ) : (
        <>
          {plural(problems.length, "thing")} could not be mapped:
          <ul className={classes.problems} tabIndex={0} aria-label="What could not be mapped">
            {problems.map((one) => (
              <li key={`${one.path}${one.what}`}>
                {one.what} <code>{one.path}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  );
}
