// An operation and whose it is, on one line: of a long operation the end goes, never the service. Each keeps its own
// direction of writing, so that Arabic beside English stays in place.
import type { ReactNode } from "react";
import classes from "./OperationName.module.css";

export function OperationName({ name, service, tip = `${service}: ${name || UNNAMED}`, children }: { name: string; service: string; tip?: string; /** The link, where the name is one. */ children?: (name: ReactNode) => ReactNode }) {
  const words = <bdi>{name || UNNAMED}</bdi>;
  return (
    <span className={classes.pair} data-tip={tip}>
      <span className={classes.name} dir="auto">{children ? children(words) : words}</span>
      <span className={classes.service} dir="auto">{service}</span>
    </span>
  );
}

const UNNAMED = "unnamed";
