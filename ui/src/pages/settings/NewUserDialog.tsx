// Adds a person with a first password that they can change later.
import { Button, Modal, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { post } from "@/api/client";
import { usersQuery } from "@/api/queries";
import type { Role, User, UserBody } from "@/api/types";
import { FormProblem } from "@/components/FormProblem";
import { ROLES } from "@/lib/roles";
import classes from "./Settings.module.css";

export function NewUserDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="New user" closeButtonProps={{ "aria-label": "Close" }}>
      <UserForm onClose={onClose} />
    </Modal>
  );
}

function UserForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const create = useMutation({
    mutationFn: () => post<User>("/users", { name: name.trim(), password, role } satisfies UserBody),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: usersQuery.queryKey });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput label="Name" autoComplete="off" required withAsterisk={false} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <PasswordInput size="xs" label="First password" autoComplete="new-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }} />
      <NativeSelect size="xs" label="Role" data={ROLES.map(({ value, label }) => ({ value, label }))} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)} />
      {create.isError && <FormProblem error={create.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending} disabled={name.trim() === "" || password === ""}>
          Add user
        </Button>
      </div>
    </form>
  );
}
