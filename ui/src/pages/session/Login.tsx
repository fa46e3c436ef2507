// Signs a person in and takes them to where they wanted to go.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Navigate, useSearchParams } from "react-router";
import { sessionQuery, setupQuery } from "@/api/queries";
import { FormProblem } from "@/components/FormProblem";
import { useSignIn } from "@/state/session";
import { SessionCard } from "./SessionCard";
import classes from "./SessionCard.module.css";

export function Login() {
  const [params] = useSearchParams();
  const session = useQuery(sessionQuery);
  const setup = useQuery(setupQuery);
  const signIn = useSignIn("/session");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  if (session.data) return <Navigate to={safePath(params.get("next"))} replace />;
  if (setup.data?.required) {
    return (
      <SessionCard title="Welcome to Holdfast" lead="Nobody can sign in yet. Open the one-time link that Holdfast printed when it started; it creates the first administrator.">
        <p className="faint">The link looks like /setup?token=… and stands in the terminal or the log of <code>holdfast up</code>.</p>
      </SessionCard>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate({ name, password });
  };
  return (
    <SessionCard title="Sign in to Holdfast" lead="Watches your services and tells you what is wrong.">
      <form className={classes.form} onSubmit={submit}>
        <TextInput size="sm" label="Name" autoComplete="username" autoFocus required withAsterisk={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <PasswordInput size="sm" label="Password" autoComplete="current-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }} />
        {signIn.isError && <FormProblem error={signIn.error} />}
        <Button type="submit" size="sm" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
      </form>
    </SessionCard>
  );
}

/** Only paths of this console: a link must not send people elsewhere after they typed their password. */
export function safePath(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
