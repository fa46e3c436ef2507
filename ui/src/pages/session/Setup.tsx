// Creates the first administrator by the one-time link that Holdfast prints at its first start.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { FormProblem } from "@/components/FormProblem";
import { useSignIn } from "@/state/session";
import { SessionCard } from "./SessionCard";
import classes from "./SessionCard.module.css";

export function Setup() {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const create = useSignIn("/setup");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const token = params.get("token");
  const isDifferent = again !== "" && again !== password;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token && password === again) create.mutate({ token, name, password }, { onSuccess: () => void navigate("/", { replace: true }) });
  };
  if (!token) {
    return (
      <SessionCard title="This link is incomplete" lead="It should end in ?token=… and stands in the terminal or the log of holdfast up.">
        {null}
      </SessionCard>
    );
  }
  return (
    <SessionCard title="Create the first administrator" lead="This link works once. Further people are added later under Settings.">
      <form className={classes.form} onSubmit={submit}>
        <TextInput size="sm" label="Name" autoComplete="username" autoFocus required withAsterisk={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <PasswordInput size="sm" label="Password" autoComplete="new-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }} />
        <PasswordInput size="sm" label="Password again" autoComplete="new-password" required withAsterisk={false} value={again} onChange={(event) => setAgain(event.currentTarget.value)} error={isDifferent ? "The two differ" : undefined} visibilityToggleButtonProps={{ "aria-label": "Show or hide the repeated password" }} />
        {create.isError && <FormProblem error={create.error} />}
        <Button type="submit" size="sm" loading={create.isPending} disabled={password === "" || password !== again} fullWidth>
          Create and sign in
        </Button>
      </form>
    </SessionCard>
  );
}
