// Every run as one dense line, newest first; what is filtered stands in the URL. Stranded and failed ones stand out.
import { Button, Select } from "@mantine/core";
import { IconFilter, IconPlayerPlay, IconRoute } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { servicesQuery, usersQuery } from "@/api/queries";
import { runsQuery, WITHIN, workflowsQuery } from "@/api/runQueries";
import type { RunList } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { parseStates } from "@/lib/runs";
import { useMay } from "@/state/session";
import { useKeys } from "@/state/shortcuts";
import { useUrlFilter } from "@/state/timerange";
import { RunsTabs } from "./RunsTabs";
import { RunTable } from "./RunTable";
import { StartRun } from "./StartRun";
import { StateFilter } from "./StateFilter";
import classes from "./Runs.module.css";

const TEACH = `# ops/workflows/refund.py
from holdfast.kernel.runs import Run, workflow

@workflow("shop.refund", version=1)
async def refund(ctx: Run, order: str) -> dict:
    await ctx.signal("approve", timeout="1h")
    return await ctx.step("charge-back", charge_back, order)`;

export function Runs() {
  const filter = useFilter();
  const [start, setStart] = useUrlFilter("start");
  const mayStart = useMay("runs.start");
  const query = useInfiniteQuery(runsQuery(filter.value));
  const open = (): void => setStart("new");
  useKeys(mayStart ? { n: open } : {});
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.items), [query.data]);
  return (
    <Page
      title="Runs"
      name="Runs"
      subtitle="Whatever changes the world runs here: step by step, never half done, never twice."
      actions={
        <Button leftSection={<IconPlayerPlay size={14} />} onClick={open} disabled={!mayStart} data-tip={mayStart ? "Start a run  n" : "Needs the role operator"}>
          Start a run
        </Button>
      }
    >
      <RunsTabs />
      {(filter.isSet || runs === undefined || runs.length > 0) && <Filters filter={filter} counts={countsOf(query.data?.pages)} known={(runs ?? []).map((run) => run.queue)} />}
      <QueryView query={{ ...query, data: runs }} skeleton={<SkeletonRows rows={18} />}>
        {(loaded) =>
          loaded.length > 0 ? (
            <>
              <RunTable runs={loaded} />
              {query.hasNextPage && (
                <div className={classes.more}>
                  <Button variant="default" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
                    Load older runs
                  </Button>
                </div>
              )}
            </>
          ) : filter.isSet ? (
            <Empty title="No run matches">Change the filters above, or press Escape in the text filter.</Empty>
          ) : (
            <Empty title="Nothing has run yet" snippet={TEACH} icon={<IconRoute size={32} stroke={1.4} />}>
              A workflow is a Python function whose steps are written down as they finish. Put one into <code>ops/workflows</code>, then start it here or with <code>holdfast runs start</code>.
            </Empty>
          )
        }
      </QueryView>
      <StartRun chosen={start} onClose={() => setStart("")} onChoose={setStart} />
    </Page>
  );
}

/** They stand beside every page; the first is the freshest. */
function countsOf(pages: readonly RunList[] | undefined) {
  return pages?.[0]?.counts ?? null;
}

function useFilter() {
  const [stateText, setState] = useUrlFilter("state");
  const [workflow, setWorkflow] = useUrlFilter("workflow");
  const [queue, setQueue] = useUrlFilter("queue");
  const [service, setService] = useUrlFilter("service");
  const [actor, setActor] = useUrlFilter("actor");
  const [within, setWithin] = useUrlFilter("within");
  const [text] = useUrlFilter("q");
  const value = useMemo(() => ({ states: parseStates(stateText), workflow, queue, service, actor, text, within }), [stateText, workflow, queue, service, actor, text, within]);
  return { value, isSet: Boolean(stateText || workflow || queue || service || actor || text || within), setState, setWorkflow, setQueue, setService, setActor, setWithin };
}

interface FiltersProps {
  filter: ReturnType<typeof useFilter>;
  counts: RunList["counts"] | null;
  /** Queues of the runs that are shown; a run may be in another one than its workflow's own. */
  known: readonly string[];
}

function Filters({ filter, counts, known }: FiltersProps) {
  const { value } = filter;
  const [isOpen, setOpen] = useState(false);
  const set = [value.workflow, value.queue, value.service, value.actor, value.within].filter(Boolean).length;
  const offered = useQuery(workflowsQuery).data?.items;
  const workflows = offered?.map((one) => one.name);
  const queues = [...new Set([...(offered ?? []).map((one) => one.queue), ...known])].sort();
  const services = useQuery(servicesQuery).data?.map((one) => one.name);
  const maySee = useMay("auth.read");
  const users = useQuery({ ...usersQuery, enabled: maySee }).data?.items.map((one) => ({ value: `user/${one.id}`, label: one.name }));
  return (
    <div className={classes.filters}>
      <div className={classes.states}>
        <StateFilter counts={counts ?? null} value={value.states} onChange={(states) => filter.setState(states.join(","))} />
      </div>
      <Button className={classes.toggle} variant="default" leftSection={<IconFilter size={14} />} onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
        {set > 0 ? `${set} filters` : "Filters"}
      </Button>
      <div className={classes.choices} data-open={isOpen || undefined}>
        <Choice label="workflow" all="All workflows" data={workflows} value={value.workflow} onChange={filter.setWorkflow} />
        <Choice label="queue" all="All queues" data={queues} value={value.queue} onChange={filter.setQueue} />
        <Choice label="service" all="All services" data={services} value={value.service} onChange={filter.setService} />
        {maySee && <Choice label="starter" all="Started by all" data={users} value={value.actor} onChange={filter.setActor} />}
        <Choice label="time" all="Any time" data={Object.entries(WITHIN).map(([name, { label }]) => ({ value: name, label }))} value={value.within} onChange={filter.setWithin} />
      </div>
      <FilterInput name="q" placeholder="Filter runs" />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  all: string;
  data: readonly (string | { value: string; label: string })[] | undefined;
  value: string;
  onChange: (value: string) => void;
}

/** A choice that keeps what stands in the URL, even when the server does not know it any more. */
function Choice({ label, all, data = [], value, onChange }: ChoiceProps) {
  const isKnown = value === "" || data.some((one) => (typeof one === "string" ? one : one.value) === value);
  return <Select className={classes.choice} aria-label={`Filter by ${label}`} placeholder={all} data={isKnown ? data : [value, ...data]} value={value || null} onChange={(next) => onChange(next ?? "")} searchable={label !== "time"} clearable />;
}
