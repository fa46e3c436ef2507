// Searching traces: a form whose every field stands in the address, durations over time, and the traces as lines.
import { Button, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { latencyQuery } from "@/api/findingQueries";
import { isAskable, traceSearchQuery } from "@/api/traceQueries";
import type { FoundTraces } from "@/api/traces";
import type { TraceLatency } from "@/api/types";
import { SavedMenu } from "@/components/collect/SavedMenu";
import { Go } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { formatCount, formatDuration, plural } from "@/lib/format";
import { formatMoment } from "@/lib/time";
import { colorsOf } from "@/lib/traces/colors";
import { isBroad, type Part, sayWish, searchPath, type TraceWish, withRoots, writePart } from "@/lib/traces/search";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { LatencyHeat, summaryOf } from "./LatencyHeat";
import { SearchForm } from "./SearchForm";
import { Spanless } from "./Spanless";
import { TraceList } from "./TraceList";
import classes from "./Traces.module.css";
import { TracesTabs } from "./TracesTabs";
import { useWish, type WriteWish } from "./useWish";

export function Traces() {
  const { wish, part, write } = useWish();
  const { range } = useTimeRange();
  const [singles, setSingles] = useUrlFilter("singles");
  const mayHide = isBroad(wish, part);
  const hasSingles = !mayHide || singles === "1";
  const query = useQuery(traceSearchQuery(wish, range, { part, hasSingles }));
  const latency = useQuery(latencyQuery(wish, range, hasSingles));
  return (
    <Page title="Traces" name="Traces" subtitle={query.data ? summary(query.data, wish) : "\u00a0"} actions={<SavedMenu kind="traces" query={sayWish(wish)} />}>
      <TracesTabs />
      <Spanless>
        {(services) => (
          <>
            <SearchForm wish={wish} services={services} onWrite={write} />
            {isAskable(wish) && (
              <>
                <QueryView query={latency} skeleton={<SkeletonBlock height={204} />}>
                  {(found) => (found.total > 0 ? <Durations latency={found} wish={wish} part={part} onWrite={write} /> : null)}
                </QueryView>
                <QueryView query={query} skeleton={<SkeletonRows rows={8} />}>
                  {(found) => (
                    <div>
                      {mayHide && <Singles found={found} isShown={hasSingles} onShow={(isShown) => setSingles(isShown ? "1" : "")} />}
                      <Found found={found} />
                    </div>
                  )}
                </QueryView>
              </>
            )}
          </>
        )}
      </Spanless>
    </Page>
  );
}

interface DurationsProps {
  latency: TraceLatency;
  wish: TraceWish;
  part: Part | null;
  onWrite: WriteWish;
}

/** The heat map, and what can be done with what is chosen on it. */
function Durations({ latency, wish, part, onWrite }: DurationsProps) {
  const { setRange } = useTimeRange();
  const isChosen = part !== null || wish.min !== "" || wish.max !== "";
  const spans = withRoots(wish).spans;
  const compared = searchPath({ ...wish, spans }, "/traces/compare");
  return (
    <div>
      <p className={classes.durations}>
        <span>
          {spans === "root" ? "Root spans: " : ""}
          {summaryOf(latency)}
        </span>
        {isChosen && (
          <span className={classes.chosen}>
            <span>Chosen: {chosenText(wish, part)}</span>
            <Button size="compact-xs" variant="default" component={Go} to={part ? `${compared}&part=${writePart(part)}` : compared}>
              Compare with the rest
            </Button>
            {part && (
              <Button size="compact-xs" variant="default" onClick={() => setRange({ kind: "fixed", from: new Date(part.fromMs), to: new Date(part.toMs) })}>
                Zoom the time range
              </Button>
            )}
            <Button size="compact-xs" variant="default" onClick={() => onWrite({ min: "", max: "" }, null)}>
              Show all
            </Button>
          </span>
        )}
      </p>
      <LatencyHeat latency={latency} part={part} min={wish.min} max={wish.max} onChoose={(cells) => onWrite({ min: cells.min, max: cells.max, spans }, cells.part)} />
    </div>
  );
}

function chosenText({ min, max }: TraceWish, part: Part | null): string {
  const took = min && max ? `${min} to ${max}` : min ? `${min} and more` : max ? `up to ${max}` : "any duration";
  const spanS = part ? (part.toMs - part.fromMs) / 1000 : 0;
  return part ? `${took}, ${formatMoment(new Date(part.fromMs), spanS)} to ${formatMoment(new Date(part.toMs), spanS)}` : took;
}

/** Traces of one span that did not fail are mostly probes and polls: left out unless somebody wants them. */
function Singles({ found, isShown, onShow }: { found: FoundTraces; isShown: boolean; onShow: (isShown: boolean) => void }) {
  return (
    <div className={classes.singles}>
      <Switch size="xs" label="Traces of a single span" checked={isShown} onChange={(event) => onShow(event.currentTarget.checked)} />
      {found.leftOut > 0 && <span className="faint">{formatCount(found.leftOut)} without errors left out</span>}
    </div>
  );
}

function Found({ found: { traces, leftOut } }: { found: FoundTraces }) {
  const colors = useMemo(() => colorsOf(traces.flatMap((one) => Object.keys(one.services))), [traces]);
  if (traces.length > 0) return <TraceList traces={traces} colors={colors} />;
  if (leftOut > 0) return <Empty title="Only traces of a single span">All {formatCount(leftOut)} of them are left out. Show them with the switch above, or choose a longer time range at the top right.</Empty>;
  return <Empty title="No trace matches">Choose a longer time range at the top right, or ask for less above.</Empty>;
}

function summary({ traces }: FoundTraces, wish: TraceWish): string {
  if (traces.length === 0) return "\u00a0";
  const failed = traces.filter((one) => one.errors > 0).length;
  const longest = Math.max(...traces.map((one) => one.durationUs));
  const isCut = traces.length >= wish.limit;
  return `${isCut ? "The newest " : ""}${plural(traces.length, "trace")}, ${failed} with errors; the longest took ${formatDuration(longest / 1e6)}.`;
}
