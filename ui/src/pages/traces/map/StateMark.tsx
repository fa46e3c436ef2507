// How an edge fares: icon and word, never colour alone.
import { StatusIcon } from "@/components/StatusMark";
import { type EdgeState, STATE_VERDICT, STATE_WORD } from "@/lib/traces/map";
import classes from "./CallMap.module.css";

export function StateMark({ state }: { state: EdgeState }) {
  return (
    <span className={classes.state} data-state={state}>
      <StatusIcon verdict={STATE_VERDICT[state]} size={14} />
      {STATE_WORD[state]}
    </span>
  );
}
