// Starts a run: which workflow, with which input, for real or dry. The address carries the choice (`start=shop.refund`).
import { Button, Drawer, Select, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { post } from "@/api/client";
import { servicesQuery } from "@/api/queries";
import { workflowsQuery } from "@/api/runQueries";
import type { StartBody, StartedRun, Workflow } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { runPath } from "@/components/Go";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { useCarry } from "@/state/timerange";
import { initialPayload, PayloadForm } from "./PayloadForm";
import classes from "./Forms.module.css";

const PRIORITY = /^$|^-?\d{1,3}$|^-?1000$/;

interface StartRunProps {
  /** The workflow's name, "new" for none yet, empty while the drawer is closed. */
  chosen: string;
  onChoose: (name: string) => void;
  onClose: () => void;
}

export function StartRun({ chosen, onChoose, onClose }: StartRunProps) {
  const query = useQuery({ ...workflowsQuery, enabled: chosen !== "" });
  return (
    <Drawer opened={chosen !== ""} onClose={onClose} position="right" size={460} title="Start a run" closeButtonProps={{ "aria-label": "Close" }}>
      <QueryView query={query} skeleton={<SkeletonBlock height={200} />}>
        {({ items, faults }) => {
          const workflow = items.find((one) => one.name === chosen);
          if (items.length === 0) return <Empty title="No workflow is registered" isSmall snippet="ops/workflows/*.py">{faults[0] ?? "Put a file with a workflow into ops/workflows; it is loaded as soon as it is saved."}</Empty>;
          return (
            <div className={classes.form}>
              <Select label="Workflow" placeholder="Choose one" data={items.map((one) => one.name)} value={workflow?.name ?? null} onChange={(name) => onChoose(name ?? "new")} searchable data-autofocus={workflow ? undefined : true} description={workflow?.summary || undefined} inputWrapperOrder={["label", "input", "description"]} />
              {workflow && <StartForm key={workflow.name} workflow={workflow} onClose={onClose} />}
            </div>
          );
        }}
      </QueryView>
    </Drawer>
  );
}

function StartForm({ workflow, onClose }: { workflow: Workflow; onClose: () => void }) {
  const [input, setInput] = useState(() => initialPayload(workflow.input_schema));
  const [isDry, setDry] = useState(false);
  const [options, setOptions] = useState({ key: "", service: null as string | null, priority: "" });
  const [isAsked, setAsked] = useState(false);
  const start = useStart(onClose);
  const services = useQuery(servicesQuery).data?.map((one) => one.name) ?? [];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAsked(true);
    if (!input.isSound || !PRIORITY.test(options.priority)) return;
    start.mutate({ workflow: workflow.name, input: input.value, dry_run: isDry, key: options.key.trim() || null, service: options.service, priority: Number(options.priority) });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <PayloadForm label="Input" schema={workflow.input_schema} onChange={setInput} isAsked={isAsked} />
      <Switch size="xs" label="Dry run" description="Steps say what they would do and change nothing" checked={isDry} onChange={(event) => setDry(event.currentTarget.checked)} />
      <details className={classes.more}>
        <summary>More: key, service, priority</summary>
        <div className={classes.form}>
          <TextInput label="Key" description="A second start with the same key gives the first run" placeholder="none" value={options.key} onChange={(event) => setOptions({ ...options, key: event.currentTarget.value })} />
          <div className={classes.pair}>
            <Select label="Service" placeholder="none" data={services} value={options.service} onChange={(service) => setOptions({ ...options, service })} searchable clearable />
            <TextInput label="Priority" inputMode="numeric" placeholder="0" value={options.priority} onChange={(event) => setOptions({ ...options, priority: event.currentTarget.value })} error={PRIORITY.test(options.priority) ? undefined : "A whole number from -1000 to 1000"} />
          </div>
        </div>
      </details>
      {start.error !== null && <FormProblem error={start.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={start.isPending}>
          {isDry ? "Start dry run" : "Start run"}
        </Button>
      </div>
    </form>
  );
}

function useStart(onClose: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const carry = useCarry();
  return useMutation({
    mutationFn: (body: StartBody) => post<StartedRun>("/runs", body),
    onSuccess: ({ run, is_new }) => {
      onClose();
      if (!is_new) notifications.show({ title: "This key was used before", message: "Here is the run that it started then.", color: "gray" });
      void client.invalidateQueries({ queryKey: ["runs", "list"] });
      void navigate(carry(runPath(run.id)));
    },
  });
}
