// One important sentence with its reason; coloured only when it is about a status.
import { IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Verdict } from "@/api/types";
import { StatusIconLabelled } from "./StatusMark";
import classes from "./Notice.module.css";

export function Notice({ tone, title, children }: { tone?: Verdict; title: ReactNode; children?: ReactNode }) {
  return (
    <div className={classes.notice} data-tone={tone}>
      <span className={classes.icon}>{tone ? <StatusIconLabelled verdict={tone} /> : <IconInfoCircle size={16} aria-hidden />}</span>
      <div className="grow">
        <div className={classes.title}>{title}</div>
        {children && <div className="dim">{children}</div>}
      </div>
    </div>
  );
}
