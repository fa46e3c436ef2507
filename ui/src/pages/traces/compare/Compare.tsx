// What sets some traces apart from others: values that are more frequent among them, and operations that took more time.
// Both sides stand in the address; each row leads back to the traces it is about.
import { Button, Select } from "@mantine/core";
import { IconArrowsLeftRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type Beside, comparisonQuery, latencyQuery } from "@/api/findingQueries";
import { isAskable } from "@/api/traceQueries";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { formatDuration } from "@/lib/format";
import { formatMoment } from "@/lib/time";
import { NO_WISH, type Part, type TraceWish, withRoots, writeNs } from "@/lib/traces/search";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { SearchForm } from "../SearchForm";
import { Spanless } from "../Spanless";
import { TracesTabs } from "../TracesTabs";
import { useWish, type WriteWish } from "../useWish";
import classes from "./Compare.module.css";
import { Found } from "./Found";

const BESIDES = [
  { value: "rest", label: "The rest of the same time" },
  { value: "day", label: "The same, a day before" },
  { value: "week", label: "The same, a week before" },
  { value: "other", label: "Another search" },
];
const DAYS: Record<string, number> = { day: 1, week: 7 };

export function Compare() {
  const { wish, part, write } = useWish();
  const other = useWish("b.");
  const [kind, setKind] = useUrlFilter("with");
  const { range } = useTimeRange();
  const beside: Beside = kind === "other" ? { kind, wish: other.wish } : DAYS[kind] ? { kind: "ago", days: DAYS[kind] } : { kind: "rest" };
  const isAsked = beside.kind !== "rest" || isChosen(wish) || part !== null;
  const query = useQuery({ ...comparisonQuery(wish, beside, range, part), enabled: isAsked && isAskable(wish) && (beside.kind !== "other" || isAskable(beside.wish)) });
  return (
    <Page title="Compare traces" name="Compare traces" subtitle="What sets some traces apart: which values are more frequent among them, which operations took more time.">
      <TracesTabs />
      <Spanless>
        {(services) => (
          <>
            <div className={classes.sides}>
              <span className={classes.side}><i data-side="chosen" aria-hidden /> Chosen</span>
              <div className={classes.form}>
                <SearchForm label="Chosen traces" wish={wish} services={services} onWrite={write} isList={false} />
                <Beginnings wish={wish} part={part} onWrite={write} onWith={setKind} />
              </div>
              <span className={classes.side}><i data-side="others" aria-hidden /> Others</span>
              <div className={classes.form}>
                <div className="row wrap">
                  <Select aria-label="Compared with" className={classes.with} data={BESIDES} value={kind || "rest"} onChange={(value) => setKind(value === "rest" ? "" : (value ?? ""))} allowDeselect={false} />
                  {kind === "other" && <Swap wish={wish} other={other.wish} onWrite={write} onOther={other.write} />}
                </div>
                {kind === "other" && <SearchForm label="Other traces" wish={other.wish} services={services} onWrite={other.write} isList={false} />}
              </div>
            </div>
            {isAsked ? (
              <QueryView query={query} skeleton={<SkeletonRows rows={10} />}>{(found) => <Found found={found} />}</QueryView>
            ) : (
              <Empty title="Which traces are in question?">Choose the slow or the failed ones above, or anything else that a search can say; or compare all traces with those of a week before.</Empty>
            )}
          </>
        )}
      </Spanless>
    </Page>
  );
}

const isChosen = (wish: TraceWish): boolean => wish.min !== "" || wish.max !== "" || wish.status === "error" || wish.attributes !== "";

/** Questions that are asked often, as one press each. */
function Beginnings({ wish, part, onWrite, onWith }: { wish: TraceWish; part: Part | null; onWrite: WriteWish; onWith: (kind: string) => void }) {
  const { range } = useTimeRange();
  const latency = useQuery(latencyQuery({ ...wish, attributes: "", status: "" }, range)).data;
  const p95 = latency?.p95_ms ?? null;
  const spans = withRoots({ ...wish, attributes: "" }).spans;
  const clear = { min: "", max: "", status: "" as const, attributes: "", spans };
  return (
    <div className={classes.beginnings}>
      {part && (
        <span className={classes.part}>
          {formatMoment(new Date(part.fromMs), (part.toMs - part.fromMs) / 1000)} to {formatMoment(new Date(part.toMs), (part.toMs - part.fromMs) / 1000)}
          <Button size="compact-xs" variant="default" onClick={() => onWrite({}, null)}>The whole time range</Button>
        </span>
      )}
      <Button size="compact-xs" variant="default" disabled={p95 === null} onClick={() => onWrite({ ...clear, min: writeNs(roundUp((p95 ?? 0) * 1e6)) }, null)}>
        Slowest 5%{p95 === null ? "" : `, over ${formatDuration(p95 / 1000)}`}
      </Button>
      <Button size="compact-xs" variant="default" onClick={() => onWrite({ ...clear, spans: wish.spans, status: "error" }, null)}>Failed</Button>
      <Button size="compact-xs" variant="default" onClick={() => (onWrite({ ...clear, spans: wish.spans }, null), onWith("week"))}>All, against a week before</Button>
    </div>
  );
}

/** Nanoseconds in three figures, which read well in a field. */
const roundUp = (ns: number): number => Number(ns.toPrecision(3));

function Swap({ wish, other, onWrite, onOther }: { wish: TraceWish; other: TraceWish; onWrite: WriteWish; onOther: WriteWish }) {
  return (
    <Button
      variant="default"
      leftSection={<IconArrowsLeftRight size={14} />}
      onClick={() => {
        onWrite({ ...NO_WISH, ...other });
        onOther({ ...NO_WISH, ...wish });
      }}
    >
      Swap
    </Button>
  );
}
