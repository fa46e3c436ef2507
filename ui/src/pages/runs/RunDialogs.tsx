// Cancel, retry, replay: what each does to the run is said before it is done.
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import type { RunDetail } from "@/api/runs";
import { FormProblem } from "@/components/FormProblem";
import { plural } from "@/lib/format";
import { useChange } from "./change";
import { useSteps } from "./steps";
import classes from "./Forms.module.css";

interface DialogProps {
  run: RunDetail;
  isOpen: boolean;
  onClose: () => void;
}

export function CancelDialog({ run, isOpen, onClose }: DialogProps) {
  const declared = run.compensation?.declared ?? 0;
  return (
    <ReasonDialog run={run} verb="cancel" title="Cancel this run?" action="Cancel the run" isOpen={isOpen} onClose={onClose}>
      It stops at once. {declared > 0 ? `What ${plural(declared, "step")} did is undone in reverse order; that takes its time and is retried.` : "No step so far says how to undo itself, so what is done stays done."} Its children are cancelled too, unless they were started to outlive it.
    </ReasonDialog>
  );
}

export function RetryDialog({ run, isOpen, onClose }: DialogProps) {
  return (
    <ReasonDialog run={run} verb="retry" title="Retry this run?" action="Retry" isOpen={isOpen} onClose={onClose}>
      It goes on {run.failure?.step ? <>at the step “{run.failure.step}”</> : "where it failed"}. What has succeeded before is not done again.
    </ReasonDialog>
  );
}

interface ReasonDialogProps extends DialogProps {
  verb: string;
  title: string;
  action: string;
  children: ReactNode;
}

function ReasonDialog({ run, verb, title, action, isOpen, onClose, children }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const change = useChange(run.id, verb, onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate({ reason: reason.trim() });
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form className={classes.form} onSubmit={submit}>
        <p className="dim">{children}</p>
        <TextInput label="Reason" placeholder="for whoever reads this later" value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
        {change.error !== null && <FormProblem error={change.error} />}
        <Buttons action={action} isPending={change.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

export function ReplayDialog({ run, isOpen, onClose }: DialogProps) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Replay from a step" closeButtonProps={{ "aria-label": "Close" }}>
      {isOpen && <ReplayForm run={run} onClose={onClose} />}
    </Modal>
  );
}

function ReplayForm({ run, onClose }: Omit<DialogProps, "isOpen">) {
  const [from, setFrom] = useState("");
  const [reason, setReason] = useState("");
  const replay = useChange(run.id, "replay", onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    replay.mutate({ from_step: from || null, reason: reason.trim() });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className="dim">That step and all behind it are done anew, with new idempotency keys: the outside world is touched a second time. Steps before it keep their results.</p>
      <StepSelect run={run} label="From" value={from} onChange={setFrom} />
      <TextInput label="Reason" placeholder="for whoever reads this later" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      {replay.error !== null && <FormProblem error={replay.error} />}
      <Buttons action="Replay" isPending={replay.isPending} onClose={onClose} />
    </form>
  );
}

export function StepSelect({ run, label, value, onChange }: { run: RunDetail; label: string; value: string; onChange: (key: string) => void }) {
  const steps = useSteps(run.id).data ?? [];
  const data = [{ value: "", label: "the beginning" }, ...steps.filter((step) => step.kind !== "compensation").map((step) => ({ value: step.key, label: step.key }))];
  return <NativeSelect size="xs" label={label} data={data} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
}

export function Buttons({ action, isPending, isReady = true, onClose }: { action: string; isPending: boolean; isReady?: boolean; onClose: () => void }) {
  return (
    <div className={classes.buttons}>
      <Button variant="default" onClick={onClose}>
        Not now
      </Button>
      <Button type="submit" loading={isPending} disabled={!isReady}>
        {action}
      </Button>
    </div>
  );
}
