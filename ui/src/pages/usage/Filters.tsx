// What of the intake is looked at: a signal, a service, a team, a reason; each stands in the URL.
import { Button, Select } from "@mantine/core";
import { useSearchParams } from "react-router";
import type { Intake } from "@/api/types";
import { EVERYTHING, type IntakeWish } from "@/api/usageQueries";
import { choicesOf } from "@/lib/usage";
import classes from "./Filters.module.css";

const NAMES = ["signal", "service", "team", "reason"] as const;

/** The wish in the URL. */
export function useIntakeWish() {
  const [params, setParams] = useSearchParams();
  const of = (name: string) => params.get(name) ?? "";
  const wish: IntakeWish = { signal: of("signal"), service: of("service"), team: of("team"), reason: of("reason") };
  const write = (change: Partial<IntakeWish>) =>
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        for (const [name, value] of Object.entries(change)) {
          if (value) next.set(name, value);
          else next.delete(name);
        }
        return next;
      },
      { replace: true },
    );
  return { wish, write, isNarrowed: NAMES.some((name) => wish[name] !== "") };
}

interface FiltersProps {
  whole: Intake | undefined;
  wish: IntakeWish;
  isNarrowed: boolean;
  onWrite: (change: Partial<IntakeWish>) => void;
}

export function Filters({ whole, wish, isNarrowed, onWrite }: FiltersProps) {
  const choices = whole ? choicesOf(whole) : { signal: [], service: [], team: [], reason: [] };
  const shown = NAMES.filter((name) => name !== "team" || choices.team.length > 0 || wish.team !== "");
  return (
    <div className={classes.filters} role="search" aria-label="What came in">
      {shown.map((name) => (
        <Select
          key={name}
          className={classes.choice}
          aria-label={name.charAt(0).toUpperCase() + name.slice(1)}
          placeholder={`Any ${name}`}
          data={(choices[name].includes(wish[name]) || !wish[name] ? choices[name] : [wish[name], ...choices[name]]).map((value) => ({ value, label: name === "reason" ? value.replaceAll("_", " ") : value }))}
          value={wish[name] || null}
          onChange={(value) => onWrite({ [name]: value ?? "" })}
          nothingFoundMessage="nothing of these days"
          searchable
          clearable
        />
      ))}
      {isNarrowed && (
        <Button variant="default" size="xs" onClick={() => onWrite(EVERYTHING)}>
          Show all
        </Button>
      )}
    </div>
  );
}
