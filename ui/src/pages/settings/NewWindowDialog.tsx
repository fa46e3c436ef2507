// Plans a maintenance window from now on, for services or checks.
import { Button, Modal, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { post } from "@/api/client";
import { checksQuery, maintenanceQuery, servicesQuery } from "@/api/queries";
import type { MaintenanceWindow, NewMaintenanceWindow } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import classes from "./Settings.module.css";

const LENGTHS = [
  { label: "15 minutes", minutes: 15 },
  { label: "1 hour", minutes: 60 },
  { label: "4 hours", minutes: 240 },
  { label: "1 day", minutes: 1_440 },
] as const;

export function NewWindowDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Plan maintenance" closeButtonProps={{ "aria-label": "Close" }}>
      <WindowForm onClose={onClose} />
    </Modal>
  );
}

function WindowForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const services = useQuery(servicesQuery).data ?? [];
  const checks = useQuery(checksQuery).data ?? [];
  const [name, setName] = useState("");
  const [reason, setReason] = useState("");
  const [length, setLength] = useState<string>("1 hour");
  const [chosenServices, setServices] = useState<string[]>([]);
  const [chosenChecks, setChecks] = useState<string[]>([]);
  const plan = useMutation({
    mutationFn: (body: NewMaintenanceWindow) => post<MaintenanceWindow>("/maintenance", body),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: maintenanceQuery.queryKey });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const minutes = LENGTHS.find((one) => one.label === length)?.minutes ?? 60;
    plan.mutate({
      name: name.trim(),
      reason: reason.trim(),
      selector: { services: chosenServices, checks: chosenChecks },
      ends_at: new Date(Date.now() + minutes * 60_000).toISOString(),
    });
  };
  const isComplete = name.trim() !== "" && chosenServices.length + chosenChecks.length > 0;
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput label="Name" placeholder="Payments release" required withAsterisk={false} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <MultiSelect size="xs" label="Services" data={services.map((service) => service.name).sort()} value={chosenServices} onChange={setServices} searchable clearable />
      <MultiSelect size="xs" label="Checks" data={checks.map((check) => check.name).sort()} value={chosenChecks} onChange={setChecks} searchable clearable limit={50} />
      <NativeSelect size="xs" label="Starts now and lasts" data={LENGTHS.map((one) => one.label)} value={length} onChange={(event) => setLength(event.currentTarget.value)} />
      <TextInput label="Reason" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      {plan.isError && <FormProblem error={plan.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={plan.isPending} disabled={!isComplete}>
          Begin
        </Button>
      </div>
    </form>
  );
}
