// Why a form was refused, right above its button: in the server's words for people, for its title is the protocol's.
import { sentence } from "@/lib/text";
import classes from "./FormProblem.module.css";
import { Prose } from "./Prose";
import { problemOf } from "./states";

export function FormProblem({ error }: { error: unknown }) {
  const problem = problemOf(error);
  const isSaid = problem.status > 0 && Boolean(problem.detail);
  return (
    <div className={classes.problem} role="alert">
      <p>
        <strong>{isSaid ? <Prose text={sentence(problem.detail ?? "")} /> : `${problem.title}.`}</strong> {!isSaid && problem.detail}
      </p>
      {problem.hint && (
        <p>
          <Prose text={problem.hint} />
        </p>
      )}
    </div>
  );
}
