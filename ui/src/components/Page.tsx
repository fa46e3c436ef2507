// The frame of every page: title line with actions, then content. Sets the document's title.
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import classes from "./Page.module.css";

interface PageProps {
  title: ReactNode;
  /** The document's title, where the heading is more than text. */
  name: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, name, subtitle, actions, children }: PageProps) {
  useEffect(() => {
    setPageName(name);
    return () => setPageName("");
  }, [name]);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <div className={classes.titles}>
          <h1 className={classes.title}>{title}</h1>
          {subtitle && <div className={classes.subtitle}>{subtitle}</div>}
        </div>
        {actions && <div className={classes.actions} data-screen>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A titled part of a page: a line above, no box in a box. */
export function Section({ title, aside, children, id }: { title: ReactNode; aside?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section className={classes.section} id={id}>
      <div className={classes.sectionHeader}>
        <h2>{title}</h2>
        {aside && <div className={classes.aside}>{aside}</div>}
      </div>
      {children}
    </section>
  );
}

let pageName = "";
let problems = 0;
const listeners = new Set<() => void>();

function setPageName(name: string): void {
  pageName = name;
  writeTitle();
  for (const listener of listeners) listener();
}

/** What the open page is called; empty before it has said so. */
export function usePageName(): string {
  return useSyncExternalStore(listen, () => pageName);
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Shows in the tab how many services are down, so that a tab in the background still tells. */
export function setProblemCount(count: number): void {
  problems = count;
  writeTitle();
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const wanted = count > 0 ? "/favicon-down.svg" : "/favicon.svg";
  if (icon && icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

function writeTitle(): void {
  document.title = `${problems > 0 ? `(${problems} down) ` : ""}${pageName ? `${pageName} · ` : ""}Holdfast`;
}
