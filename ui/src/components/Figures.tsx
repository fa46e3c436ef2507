// A line of figures: label, number, a small note. Parted by space, not by boxes.
import type { ReactNode } from "react";
import classes from "./Figures.module.css";

export interface FigureItem {
  label: string;
  value: ReactNode;
  note?: ReactNode;
}

export function Figures({ items }: { items: readonly FigureItem[] }) {
  return (
    <dl className={classes.figures}>
      {items.map(({ label, value, note }) => (
        <div key={label} className={classes.figure}>
          <dt>{label}</dt>
          <dd className={classes.value}>{value}</dd>
          {note && <dd className={classes.note}>{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
