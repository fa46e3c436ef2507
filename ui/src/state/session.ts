// Who is signed in. Pages inside the shell may rely on a session; the gate in app.tsx sees to it.
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { post, remove, setCsrfToken } from "@/api/client";
import { sessionQuery, usersQuery } from "@/api/queries";
import type { Session } from "@/api/types";

export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  if (!data) throw new Error("This part of the console is only shown to signed-in people.");
  return data;
}

/** Whether the signed-in person holds a permission; the server decides in the end. */
export function useMay(permission: string): boolean {
  return useSession().permissions.includes(permission);
}

/** The names of people by their ids; those who may not see others know at least themselves. */
export function useNames(): ReadonlyMap<string, string> {
  const { user } = useSession();
  const users = useQuery({ ...usersQuery, enabled: useMay("auth.read"), staleTime: 60_000 }).data;
  return useMemo(() => new Map([[user.id, user.name], ...(users?.items ?? []).map((one): [string, string] => [one.id, one.name])]), [user, users]);
}

/** Signs in (`/session`) or creates the first administrator (`/setup`); both answer with a session. */
export function useSignIn(path: "/session" | "/setup") {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; password: string; token?: string }) => post<Session>(path, body),
    onSuccess: (session) => {
      setCsrfToken(session.csrf_token);
      changeSession(client, session);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => remove("/session"),
    onSettled: () => {
      setCsrfToken("");
      changeSession(client, null);
    },
  });
}

/** Nothing that one person saw may be left for the next; the session's own query stays, because the gate watches it. */
function changeSession(client: QueryClient, session: Session | null): void {
  client.setQueryData(sessionQuery.queryKey, session);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionQuery.queryKey[0] });
}
