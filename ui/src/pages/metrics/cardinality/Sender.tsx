// Who sends: how it comes in, its name, and where it is looked at.
import { Go } from "@/components/Go";
import { type Sender as SenderParts, senderPath } from "@/lib/cardinality";
import classes from "./Cardinality.module.css";

export function Sender({ sender }: { sender: SenderParts }) {
  const path = senderPath(sender);
  return (
    <span className={classes.sender} data-tip={sender.name}>
      {path ? (
        <Go to={path} className="link bare truncate">
          {sender.name}
        </Go>
      ) : (
        <span className="truncate">{sender.name}</span>
      )}
      {sender.kind && <span className={classes.kind}>{sender.kind}</span>}
    </span>
  );
}
