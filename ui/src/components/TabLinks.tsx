// Pages that belong together, as a line of links under the title.
import { NavLink } from "react-router";
import { useCarry } from "@/state/timerange";
import classes from "./TabLinks.module.css";

export function TabLinks({ label, links }: { label: string; links: readonly { to: string; label: string; note?: string }[] }) {
  const carry = useCarry();
  return (
    <nav aria-label={label} className={classes.tabs}>
      {links.map(({ to, label: text, note }) => (
        <NavLink key={to} to={carry(to)} end className={classes.tab}>
          {text}
          {note && <span className={classes.count}>{note}</span>}
        </NavLink>
      ))}
    </nav>
  );
}
