// Where you are, from the routes themselves: each route's handle says how it is called.
import { IconChevronRight } from "@tabler/icons-react";
import { Fragment } from "react";
import { type UIMatch, useMatches } from "react-router";
import { Go } from "../Go";
import { usePageName } from "../Page";
import classes from "./Breadcrumbs.module.css";

export interface CrumbHandle {
  /** Fixed words, or made of the route's parameters. */
  crumb: string | ((params: Readonly<Record<string, string | undefined>>) => string);
  /** Whether only the page itself knows how it is called; `crumb` stands until it has said so. */
  isNamedByPage?: boolean;
  /** The page above, where the path alone does not say it. */
  parent?: { label: string; to: string };
  /** Whether the page shows what happened over the global time range. */
  hasRange?: boolean;
}

/** What the page that is open says of itself. */
export function useHandle(): { handle: CrumbHandle; params: UIMatch["params"] } | null {
  const match = useMatches().findLast((one): one is UIMatch<unknown, CrumbHandle> => Boolean((one.handle as CrumbHandle | undefined)?.crumb));
  return match ? { handle: match.handle, params: match.params } : null;
}

export function Breadcrumbs() {
  const open = useHandle();
  const pageName = usePageName();
  if (!open) return null;
  const { crumb, parent, isNamedByPage } = open.handle;
  const fromRoute = typeof crumb === "string" ? crumb : crumb(open.params);
  const here = (isNamedByPage && pageName) || fromRoute;
  return (
    <nav aria-label="Breadcrumb" className={classes.crumbs}>
      {parent && (
        <Fragment>
          <Go to={parent.to} className={classes.parent}>
            {parent.label}
          </Go>
          <IconChevronRight size={13} className={classes.parent} aria-hidden />
        </Fragment>
      )}
      <span aria-current="page" className={classes.here}>
        {here}
      </span>
    </nav>
  );
}
