// Cancel, retry, replay: what each does to the run is said before it is done.
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { ReasonBody, ReplayBody, RunDetail } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { FormProblem } from "@/components/FormProblem";
import { failedStep } from "@/lib/runs";
import { useChange } from "./change";
import { useSteps } from "./steps";
import classes from "./Forms.module.css";

interface DialogProps {
  run: RunDetail;
  isOpen: boolean;
  onClose: () => void;
}

export function CancelDialog({ run, isOpen, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  const cancel = useChange<ReasonBody>(run.id, "cancel", onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    cancel.mutate({ reason: reason.trim() });
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title="Cancel this run?" closeButtonProps={{ "aria-label": "Close" }}>
      <form className={classes.form} onSubmit={submit}>
        <p className="dim">It stops at once. What its steps did is undone in reverse order where they say how; that takes its time and is retried. Its children are cancelled too, unless they were started to outlive it.</p>
        <TextInput label="Reason" placeholder="for whoever reads this later" value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
        {cancel.error !== null && <FormProblem error={cancel.error} />}
        <Buttons action="Cancel the run" isPending={cancel.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

export function RetryDialog({ run, isOpen, onClose }: DialogProps) {
  const failed = failedStep(useSteps(run.id).data ?? []);
  const retry = useChange<undefined>(run.id, "retry", onClose);
  return (
    <Confirm isOpen={isOpen} title="Retry this run?" action="Retry" onConfirm={() => retry.mutate(undefined)} onClose={onClose} isPending={retry.isPending} error={retry.error}>
      It goes on {failed ? `at the step “${failed.key}”` : "where it stopped"}. What has succeeded before is not done again.
    </Confirm>
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
  const replay = useChange<ReplayBody>(run.id, "replay", onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    replay.mutate({ from_step: from || null });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className="dim">That step and all behind it are done anew with the newest code and new idempotency keys: the outside world is touched a second time. Steps before it keep their results.</p>
      <StepSelect run={run} value={from} onChange={setFrom} />
      {replay.error !== null && <FormProblem error={replay.error} />}
      <Buttons action="Replay" isPending={replay.isPending} onClose={onClose} />
    </form>
  );
}

export function StepSelect({ run, value, onChange }: { run: RunDetail; value: string; onChange: (key: string) => void }) {
  const steps = useSteps(run.id).data ?? [];
  const data = [{ value: "", label: "what failed or is missing" }, ...steps.filter((step) => step.kind !== "compensation").map((step) => ({ value: step.key, label: step.key }))];
  return <NativeSelect size="xs" label="From" data={data} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
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
