// Makes a token and shows its secret this one time.
import { Button, Modal, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { post } from "@/api/client";
import { tokensQuery } from "@/api/queries";
import type { NewToken, Role, TokenBody } from "@/api/types";
import { CopyButton } from "@/components/CopyButton";
import { FormProblem } from "@/components/FormProblem";
import { ROLES } from "@/lib/roles";
import { useSession } from "@/state/session";
import classes from "./Settings.module.css";

const LIFETIMES = [
  { label: "7 days", days: 7 },
  { label: "30 days", days: 30 },
  { label: "90 days", days: 90 },
  { label: "1 year", days: 365 },
] as const;

export function NewTokenDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: (body: TokenBody) => post<NewToken>("/tokens", body),
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const close = (): void => {
    onClose();
    // The secret leaves memory once the dialog has faded.
    setTimeout(create.reset, 200);
  };
  return (
    <Modal opened={isOpen} onClose={close} title={create.data ? "Copy the token now" : "New token"} closeButtonProps={{ "aria-label": "Close" }} closeOnClickOutside={!create.data}>
      {create.data ? <Secret token={create.data} onClose={close} /> : <TokenForm onSubmit={create.mutate} isPending={create.isPending} error={create.error} onClose={close} />}
    </Modal>
  );
}

interface TokenFormProps {
  onSubmit: (body: TokenBody) => void;
  onClose: () => void;
  isPending: boolean;
  error: unknown;
}

function TokenForm({ onSubmit, onClose, isPending, error }: TokenFormProps) {
  const { user, permissions } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [scopes, setScopes] = useState<string[]>([]);
  const [lifetime, setLifetime] = useState("90 days");
  const allowed = ROLES.slice(0, ROLES.findIndex((one) => one.value === user.role) + 1);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const days = LIFETIMES.find((one) => one.label === lifetime)?.days ?? 90;
    onSubmit({ name: name.trim(), role, scopes, expires_at: new Date(Date.now() + days * 86_400_000).toISOString() });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput label="Name" description="Where it is used, so that it can be recognised later" placeholder="ci" required withAsterisk={false} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <NativeSelect size="xs" label="Role" data={allowed.map(({ value, label }) => ({ value, label }))} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)} />
      <NativeSelect size="xs" label="Expires after" data={LIFETIMES.map((one) => one.label)} value={lifetime} onChange={(event) => setLifetime(event.currentTarget.value)} />
      <MultiSelect size="xs" label="Scopes" description="Leave empty for everything that the role may do" placeholder={scopes.length === 0 ? "All" : undefined} data={permissions} value={scopes} onChange={setScopes} searchable clearable />
      {error !== null && <FormProblem error={error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={isPending} disabled={name.trim() === ""}>
          Create token
        </Button>
      </div>
    </form>
  );
}

function Secret({ token, onClose }: { token: NewToken; onClose: () => void }) {
  return (
    <div className={classes.form}>
      <p className="dim">
        “{token.name}” is ready. Its secret is not stored and cannot be shown again.
      </p>
      <div className={classes.secret}>
        <code>{token.secret}</code>
        <CopyButton text={token.secret} label="Copy the token" />
      </div>
      <div className={classes.buttons}>
        <Button onClick={onClose}>I have copied it</Button>
      </div>
    </div>
  );
}
