// What stands where data would: loading (same size, no spinner), empty (teaches the next command), failed (says why).
import { Button } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "@/api/client";
import type { Problem } from "@/api/types";
import { sentence } from "@/lib/text";
import { CopyButton } from "./CopyButton";
import { Go } from "./Go";
import { Prose } from "./Prose";
import classes from "./states.module.css";

type QueryState<T> = Pick<UseQueryResult<T>, "isError" | "error" | "isFetching"> & { data: T | undefined; refetch: () => unknown };

/** Shows a query in whichever state it is. A failed refresh keeps the old data: the stale bar tells its age. */
export function QueryView<T>({ query, skeleton, list, children }: { query: QueryState<T>; skeleton: ReactNode; list?: ListLink; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <Failed error={query.error} onRetry={() => void query.refetch()} isRetrying={query.isFetching} {...(list ? { list } : {})} />;
  return <Loading>{skeleton}</Loading>;
}

const SLOW_S = 6;

/** Stands in for what has been asked: its outline and, from the second second on, for how long it has been waited for. */
export function Loading({ isOn = true, children }: { isOn?: boolean; children: ReactNode }) {
  const waitedS = useSecondsSince(isOn);
  return (
    <div className={classes.loading} role="group" aria-busy={isOn || undefined} aria-label="Loading">
      {children}
      {waitedS >= 1 && (
        <p className={classes.waited}>
          <span role="status">{waitedS < SLOW_S ? "Asking the server" : "The server is slow to answer; it is still being asked"}</span>
          <span className="tabular" aria-hidden> {waitedS} s</span>
        </p>
      )}
    </div>
  );
}

function useSecondsSince(isOn: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!isOn) return undefined;
    const began = performance.now();
    const timer = setInterval(() => setSeconds(Math.round((performance.now() - began) / 1_000)), 1_000);
    return () => {
      clearInterval(timer);
      setSeconds(0);
    };
  }, [isOn]);
  return seconds;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return { title: "Something went wrong here", status: 0, detail: error instanceof Error ? error.message : String(error) };
}

/** Where the others of its kind are, for one that is not there. */
export interface ListLink {
  to: string;
  text: string;
}

export function Failed({ error, onRetry, isRetrying = false, list }: { error: unknown; onRetry?: () => void; isRetrying?: boolean; list?: ListLink }) {
  const problem = problemOf(error);
  return (
    <div className={classes.failed} role="alert">
      <h2>{problem.title}</h2>
      {problem.detail && <p><Prose text={sentence(problem.detail)} /></p>}
      {problem.place?.file && <p className="mono">{[problem.place.file, problem.place.line, problem.place.field].filter(Boolean).join(":")}</p>}
      {problem.hint && <p className={classes.hint}><Prose text={problem.hint} /></p>}
      <div className="row">
        {onRetry && (
          <Button variant="default" leftSection={<IconRefresh size={14} />} onClick={onRetry} loading={isRetrying}>
            Try again
          </Button>
        )}
        {list && (
          <Go to={list.to} className="link">
            {list.text}
          </Go>
        )}
        {problem.status > 0 && (
          <span className="faint small">
            {problem.status}
            {problem.code ? ` · ${problem.code}` : ""}
          </span>
        )}
      </div>
    </div>
  );
}

interface EmptyProps {
  title: string;
  children: ReactNode;
  /** A command or a file to copy: what to do next. */
  snippet?: string;
  icon?: ReactNode;
  /** Inside a section of a page, where there is more to see. */
  isSmall?: boolean;
}

export function Empty({ title, children, snippet, icon, isSmall = false }: EmptyProps) {
  return (
    <div className={classes.empty} data-small={isSmall || undefined}>
      {icon && <div className={classes.emptyIcon}>{icon}</div>}
      <h2>{title}</h2>
      <p>{children}</p>
      {snippet && <Snippet text={snippet} />}
    </div>
  );
}

export function Snippet({ text }: { text: string }) {
  return (
    <div className={classes.snippet}>
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={text} label="Copy" />
    </div>
  );
}

/** Grey bars in the rhythm of table rows. */
export function SkeletonRows({ rows = 8, height = 36 }: { rows?: number; height?: number }) {
  return (
    <div className={classes.rows}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={classes.row} style={{ height }}>
          <span className={classes.bone} style={{ width: 76 }} />
          <span className={classes.bone} style={{ width: `${22 + ((index * 7) % 12)}%` }} />
          <span className={classes.bone} style={{ width: `${14 + ((index * 5) % 9)}%` }} />
          <span className={classes.bone} style={{ width: 160, marginLeft: "auto" }} />
        </div>
      ))}
    </div>
  );
}

export function SkeletonBlock({ height }: { height: number }) {
  return <div className={`${classes.bone} ${classes.block}`} style={{ height }} />;
}
