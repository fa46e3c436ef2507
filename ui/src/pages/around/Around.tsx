// Around a moment: everything that moved for a service, as lanes over time and as a list by rank.
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconTimelineEventExclamation } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { aroundQuery } from "@/api/aroundQueries";
import type { Around as AroundAnswer } from "@/api/types";
import { Go, servicePath } from "@/components/Go";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { type AroundQuestion, readQuestion, toLocalSeconds, WINDOWS, writeQuestion } from "@/lib/around";
import { plural } from "@/lib/format";
import { entityName } from "@/lib/text";
import { formatAbsolute, formatClock } from "@/lib/time";
import { FindingList } from "./FindingList";
import { Lanes } from "./Lanes";
import classes from "./Around.module.css";

export function Around() {
  const [params, setParams] = useSearchParams();
  const asked = readQuestion(params);
  const query = useQuery(aroundQuery(asked));
  const [chosen, setChosen] = useState("");
  const change = (part: Partial<AroundQuestion>): void => setParams((current) => writeQuestion(current, part));
  const isAsked = Boolean(asked.service || asked.selector || asked.trace);
  return (
    <Page title="Around a moment" name={`Around ${asked.service || "a moment"}`} subtitle={query.data ? <Subtitle answer={query.data} /> : "\u00a0"}>
      <Question key={`${asked.service}|${asked.selector}|${asked.trace}|${asked.at}`} asked={asked} onAsk={change} />
      {isAsked ? (
        <QueryView query={query} skeleton={<><SkeletonBlock height={260} /><SkeletonRows rows={8} /></>}>
          {(answer) => (
            <>
              <Missing answer={answer} />
              {answer.findings.length === 0 ? (
                <Empty title="Nothing moved" icon={<IconTimelineEventExclamation size={32} stroke={1.4} />}>
                  {lookedAt(answer)} Choose a longer window, or another moment.
                </Empty>
              ) : (
                <>
                  <Lanes answer={answer} chosen={chosen} onChoose={setChosen} />
                  <Section title="By rank" aside={answer.left_out > 0 ? `${answer.left_out} more were left out` : plural(answer.findings.length, "finding")}>
                    <FindingList answer={answer} chosen={chosen} onChoose={setChosen} />
                  </Section>
                </>
              )}
            </>
          )}
        </QueryView>
      ) : (
        <Empty title="What moved then?" icon={<IconTimelineEventExclamation size={32} stroke={1.4} />} snippet="holdfast around orders --at 2026-01-31T14:02:00Z --window 15m">
          Name a service and a moment. Metrics, operations, logs, checks, events and neighbours are put beside the time before and last week. A point in Explore, a trace, a span, a line and a service lead here too.
        </Empty>
      )}
    </Page>
  );
}

function Question({ asked, onAsk }: { asked: AroundQuestion; onAsk: (part: Partial<AroundQuestion>) => void }) {
  const [what, setWhat] = useState(asked.service || asked.selector);
  const [at, setAt] = useState(asked.at ? toLocalSeconds(new Date(asked.at)) : "");
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    const isSelector = what.trim().startsWith("{");
    const isSame = asked.at !== "" && at === toLocalSeconds(new Date(asked.at));
    onAsk({
      service: isSelector ? "" : what.trim(),
      selector: isSelector ? what.trim() : "",
      trace: what.trim() === (asked.service || asked.selector) ? asked.trace : "",
      at: isSame ? asked.at : at ? new Date(at).toISOString() : "",
    });
  };
  return (
    <form className={classes.question} onSubmit={ask}>
      <TextInput className={classes.what} size="xs" label="Service, or labels" placeholder={'orders, or {job="shop/orders"}'} value={what} onChange={(event) => setWhat(event.currentTarget.value)} />
      <TextInput size="xs" type="datetime-local" step={1} label="Moment" value={at} onChange={(event) => setAt(event.currentTarget.value)} />
      <Button type="submit" size="xs" variant={asked.service || asked.selector || asked.trace ? "default" : "filled"}>
        Look
      </Button>
      <SegmentedControl size="xs" aria-label="Window" value={asked.window} onChange={(window) => onAsk({ window })} data={WINDOWS.includes(asked.window) ? WINDOWS : [...WINDOWS, asked.window]} />
    </form>
  );
}

function Subtitle({ answer }: { answer: AroundAnswer }) {
  const { service, owner, start, end } = answer;
  return (
    <span className={classes.subtitle}>
      {service && (
        <Go to={servicePath(service)} className="link">
          {service}
        </Go>
      )}
      <span data-tip={`${formatAbsolute(new Date(start))} to ${formatAbsolute(new Date(end))}`}>
        {formatClock(new Date(start))} to {formatClock(new Date(end))}
      </span>
      {owner?.owner && <span>owned by {entityName(owner.owner)}</span>}
      {answer.neighbours.length > 0 && <span>{plural(answer.neighbours.length, "neighbour")}</span>}
    </span>
  );
}

/** What could not be looked at is told, so that silence means that nothing moved. */
function Missing({ answer }: { answer: AroundAnswer }) {
  const missing = answer.parts.filter((part) => part.state !== "whole");
  if (missing.length === 0) return null;
  return (
    <Notice title="Not everything was looked at">
      <ul className={classes.missing}>
        {missing.map((part) => (
          <li key={part.lane}>
            <strong>{part.lane}</strong> {part.message}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function lookedAt(answer: AroundAnswer): string {
  const count = answer.parts.reduce((sum, part) => sum + part.looked_at, 0);
  return count > 0 ? `${plural(count, "signal")} were compared with the time before.` : "No signal of it was found in this time.";
}
