// The frame of the pages before the shell: sign in, set up.
import { type ReactNode, useEffect } from "react";
import { Logo } from "@/components/shell/Logo";
import classes from "./SessionCard.module.css";

export function SessionCard({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <main className={classes.place}>
      <div className={classes.card}>
        <Logo size={36} />
        <h1 className={classes.title}>{title}</h1>
        <p className={classes.lead}>{lead}</p>
        {children}
      </div>
    </main>
  );
}
