// The three ways out of a run under which the code changed, each with what it does; those that are not open say why.
import { Modal } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { ResolveBody, RunDetail } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { useChange } from "./change";
import { Buttons, StepSelect } from "./RunDialogs";
import classes from "./Forms.module.css";

const WAYS = [
  { way: "finish-old", title: "Finish on the old code", text: "Goes on as it began. Nothing is repeated.", closed: "The version that it began with is not registered any more: deploy it beside the new one, then this opens." },
  { way: "replay", title: "Do it anew on the new code, from a step", text: "Steps before it keep their results; that step and all behind it are done anew, with new idempotency keys.", closed: "The workflow is not registered." },
  { way: "cancel", title: "Cancel and undo", text: "Steps that say how are undone in reverse order, then it is over.", closed: "It cannot be cancelled." },
] as const;

export function StrandedDialog({ run, isOpen, onClose }: { run: RunDetail; isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen && run.stranded !== null} onClose={onClose} title="Resolve a stranded run" size={520} closeButtonProps={{ "aria-label": "Close" }}>
      {run.stranded && <Ways run={run} stranded={run.stranded} onClose={onClose} />}
    </Modal>
  );
}

function Ways({ run, stranded, onClose }: { run: RunDetail; stranded: NonNullable<RunDetail["stranded"]>; onClose: () => void }) {
  const [way, setWay] = useState<ResolveBody["way"] | null>(null);
  const [from, setFrom] = useState("");
  const resolve = useChange<ResolveBody>(run.id, "resolve", onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (way) resolve.mutate({ way, from_step: way === "replay" ? from || null : null });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className="dim">
        {stranded.reason}
      </p>
      <fieldset className={classes.ways}>
        <legend className="visually-hidden">Way out</legend>
        {WAYS.map((one) => {
          const isPossible = stranded.ways.includes(one.way);
          return (
            <label key={one.way} className={classes.way}>
              <input type="radio" name="way" value={one.way} checked={way === one.way} disabled={!isPossible} onChange={() => setWay(one.way)} />
              <strong>{one.title}</strong>
              <small>{isPossible ? one.text : one.closed}</small>
            </label>
          );
        })}
      </fieldset>
      {way === "replay" && <StepSelect run={run} value={from} onChange={setFrom} />}
      {resolve.error !== null && <FormProblem error={resolve.error} />}
      <Buttons action="Resolve" isPending={resolve.isPending} isReady={way !== null} onClose={onClose} />
    </form>
  );
}
