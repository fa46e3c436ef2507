// Tells a run what it waits for: an approval, an acknowledgement, anything with a payload.
import { Button, Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { RunDetail, SignalBody } from "@/api/types";
import { workflowsQuery } from "@/api/runQueries";
import { FormProblem } from "@/components/FormProblem";
import { QueryView, SkeletonBlock } from "@/components/states";
import { useChange } from "./change";
import { initialPayload, PayloadForm } from "./PayloadForm";
import classes from "./Forms.module.css";

interface SignalDialogProps {
  run: RunDetail;
  /** The signal; empty to ask for its name, null while closed. */
  name: string | null;
  onClose: () => void;
}

export function SignalDialog({ run, name, onClose }: SignalDialogProps) {
  const query = useQuery({ ...workflowsQuery, enabled: name !== null });
  return (
    <Modal opened={name !== null} onClose={onClose} title={name ? `Answer “${name}”` : "Send a signal"} closeButtonProps={{ "aria-label": "Close" }}>
      {name !== null && (
        <QueryView query={{ ...query, data: query.isPending ? undefined : (query.data ?? null) }} skeleton={<SkeletonBlock height={120} />}>
          {(workflows) => <SignalForm run={run} fixed={name} schema={workflows?.items.find((one) => one.name === run.workflow)?.signals[name] ?? null} onClose={onClose} />}
        </QueryView>
      )}
    </Modal>
  );
}

function SignalForm({ run, fixed, schema, onClose }: { run: RunDetail; fixed: string; schema: Record<string, unknown> | null; onClose: () => void }) {
  const [name, setName] = useState(fixed);
  const [payload, setPayload] = useState(() => initialPayload(schema));
  const [isAsked, setAsked] = useState(false);
  const send = useChange<SignalBody>(run.id, `signals/${encodeURIComponent(name.trim())}`, onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAsked(true);
    if (payload.isSound && name.trim()) send.mutate({ payload: payload.value });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {fixed ? <p className="dim">{run.workflow} goes on as soon as it has your answer. Your name stands beside it.</p> : <TextInput label="Name of the signal" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />}
      <PayloadForm label="Payload" schema={schema} onChange={setPayload} isAsked={isAsked} />
      {send.error !== null && <FormProblem error={send.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Not now
        </Button>
        <Button type="submit" loading={send.isPending}>
          Send
        </Button>
      </div>
    </form>
  );
}
