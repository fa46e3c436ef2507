// Lines go in, and come out as they would be kept, with what was found in each. Nothing is stored or counted.
import { Button, Textarea } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { tryScrubbing } from "@/api/usageQueries";
import type { ScrubTrial } from "@/api/types";
import { Section } from "@/components/Page";
import { Failed } from "@/components/states";
import classes from "./Usage.module.css";

const MOST_LINES = 1000;
const EXAMPLE = "paid by bob@example.org with 4111 1111 1111 1111\ndsn postgres://app:s3cr3t@db/shop";

export function TryIt() {
  const [text, setText] = useState(EXAMPLE);
  const trial = useMutation({ mutationFn: tryScrubbing });
  const lines = text.split("\n");
  return (
    <Section title="Try it" aside="nothing is stored or counted">
      <form
        className={classes.trial}
        onSubmit={(event) => {
          event.preventDefault();
          trial.mutate(lines.slice(0, MOST_LINES));
        }}
      >
        <Textarea label="Lines as they come" classNames={{ input: classes.lines ?? "" }} autosize minRows={4} maxRows={12} spellCheck={false} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <div className={classes.outcome} aria-live="polite">
          <div className={classes.outcomeLabel}>As they are kept</div>
          {trial.data ? <Outcome trial={trial.data} /> : <p className="faint">Press the button to see what would be kept.</p>}
        </div>
        <div className="row">
          <Button type="submit" variant="default" leftSection={<IconPlayerPlay size={14} />} loading={trial.isPending} disabled={!text.trim()}>
            Scrub
          </Button>
          {lines.length > MOST_LINES && <span className="dim small">only the first {MOST_LINES} lines are tried</span>}
        </div>
      </form>
      {trial.isError && <Failed error={trial.error} />}
    </Section>
  );
}

function Outcome({ trial }: { trial: ScrubTrial }) {
  return (
    <ol className={classes.kept}>
      {trial.lines.map((line, place) => {
        const found = Object.entries(trial.found[place] ?? {});
        return (
          <li key={place}>
            <code>{line || " "}</code>
            <span className={found.length > 0 ? "dim small" : "faint small"}>{found.length > 0 ? found.map(([kind, count]) => (count > 1 ? `${kind} ×${count}` : kind)).join(", ") : "nothing found"}</span>
          </li>
        );
      })}
    </ol>
  );
}
