// Writes a note, or the remark below a cell. Where somebody else was first, both texts are shown, and nothing is lost.
import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/client";
import { addCell, changeCell } from "@/api/investigationQueries";
import type { InvestigationCell } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { Markdown } from "@/components/Markdown";
import { Notice } from "@/components/Notice";
import { actorName } from "@/lib/events";
import { useNames } from "@/state/session";
import classes from "./Investigation.module.css";

const CONFLICT = 409;

interface NoteFormProps {
  investigation: string;
  /** The cell that is changed; none for a new note. */
  cell?: InvestigationCell;
  onClose: () => void;
}

export function NoteForm({ investigation, cell, onClose }: NoteFormProps) {
  const [text, setText] = useState(cell?.content.text ?? "");
  const [base, setBase] = useState(cell);
  const client = useQueryClient();
  const names = useNames();
  const save = useMutation({
    mutationFn: () => (base ? changeCell(investigation, base.id, { ...base.content, text }, base.version) : addCell(investigation, { kind: "note", content: { text } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["investigations"] });
      onClose();
    },
    onError: (error) => {
      if (error instanceof ApiError && error.status === CONFLICT) void client.invalidateQueries({ queryKey: ["investigations", "one", investigation] });
    },
  });
  const isConflict = save.error instanceof ApiError && save.error.status === CONFLICT;
  const isNewer = cell !== undefined && base !== undefined && cell.version > base.version;
  const label = cell && cell.kind !== "note" ? "Remark" : "Note";
  return (
    <div className={classes.noteForm}>
      <Textarea aria-label={label} placeholder="Markdown" autosize={false} rows={6} value={text} maxLength={65_536} onChange={(event) => setText(event.currentTarget.value)} data-autofocus autoFocus />
      {isNewer && (
        <Notice tone="degraded" title={`${actorName(cell.updated_by, names) ?? "Somebody"} changed this while you wrote`}>
          <div className={classes.theirs}>
            <Markdown text={cell.content.text ?? ""} />
          </div>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              setBase(cell);
              save.reset();
            }}
          >
            I have put it into mine
          </Button>
        </Notice>
      )}
      {save.error && !(isConflict && isNewer) && <FormProblem error={save.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button onClick={() => save.mutate()} loading={save.isPending} disabled={isNewer || (text.trim() === "" && !cell)}>
          Save
        </Button>
      </div>
    </div>
  );
}
