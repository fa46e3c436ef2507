// How much of the most in a column a cell has: a bar beside its number; the number alone where there is no room.
import classes from "./ShareBar.module.css";

export function ShareBar({ share, text, isFailed = false }: { share: number; text: string; isFailed?: boolean }) {
  return (
    <span className={classes.bar}>
      <i style={{ width: `${share * 100}%` }} data-failed={isFailed || undefined} />
      <span className="tabular">{text}</span>
    </span>
  );
}
