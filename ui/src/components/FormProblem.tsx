// Why a form was refused, right above its button.
import classes from "./FormProblem.module.css";
import { problemOf } from "./states";

export function FormProblem({ error }: { error: unknown }) {
  const problem = problemOf(error);
  return (
    <div className={classes.problem} role="alert">
      <p>
        <strong>{problem.title}.</strong> {problem.detail}
      </p>
      {problem.hint && <p>{problem.hint}</p>}
    </div>
  );
}
