// Lets signed-in people into the shell, sends others to sign in, and says so when the server cannot be reached.
import { useQuery } from "@tanstack/react-query";
import { Navigate, useLocation } from "react-router";
import { setCsrfToken } from "@/api/client";
import { sessionQuery } from "@/api/queries";
import { Shell } from "./shell/Shell";
import { Failed } from "./states";
import classes from "./Gate.module.css";

export function Gate() {
  const session = useQuery({ ...sessionQuery, refetchInterval: (query) => (query.state.status === "error" ? 3_000 : false) });
  const { pathname, search } = useLocation();
  if (session.data) {
    setCsrfToken(session.data.csrf_token);
    return <Shell />;
  }
  if (session.data === null) {
    const here = pathname + search;
    return <Navigate to={`/login${here === "/" ? "" : `?next=${encodeURIComponent(here)}`}`} replace />;
  }
  return <div className={classes.gate}>{session.isError && <Failed error={session.error} onRetry={() => void session.refetch()} isRetrying={session.isFetching} />}</div>;
}
