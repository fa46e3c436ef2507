// Explore: ask PromQL, see curves, rows or the answer itself; everything that is asked stands in the address.
import { Button, Checkbox, SegmentedControl, Select } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconLink, IconList, IconPlayerPlay, IconPlus } from "@tabler/icons-react";
import { useRef } from "react";
import type { CellBody } from "@/api/types";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { SavedMenu } from "@/components/collect/SavedMenu";
import { Page } from "@/components/Page";
import { Empty } from "@/components/states";
import type { EditorHandle } from "@/components/promql/QueryEditor";
import { MOD } from "@/components/shell/TopBar";
import { type Exploration, type View, writeExploration } from "@/lib/explore";
import { resolveRange, writeRange } from "@/lib/timerange";
import { useKeys } from "@/state/shortcuts";
import { useTimeRange } from "@/state/timerange";
import { Beginning } from "./Beginning";
import { useExploration } from "./exploration";
import { GraphView } from "./GraphView";
import { HeatView } from "./HeatView";
import { HistoryMenu } from "./HistoryMenu";
import { JsonView } from "./JsonView";
import { firstQuery, MetricBrowser } from "./MetricBrowser";
import { MetricsTabs } from "./MetricsTabs";
import { QueryRow } from "./QueryRow";
import { askedOf, useStates } from "./results";
import { TableView } from "./TableView";
import { UNITS } from "./units";
import classes from "./Explore.module.css";

export function Explore() {
  const exploring = useExploration();
  const { exploration, drafts, run, write, add, change } = exploring;
  const { states, step } = useStates(exploration);
  const [isListOpen, list] = useDisclosure(false);
  const editors = useRef<(EditorHandle | null)[]>([]);
  useKeys({ e: () => editors.current[0]?.focus(), b: list.open });
  const texts = drafts.map((draft) => draft.text);
  const ask = (text: string): void => {
    const free = texts.findIndex((one) => one.trim() === "");
    run(free < 0 ? [...texts, text] : texts.map((one, place) => (place === free ? text : one)));
  };
  const isBlank = exploration.queries.every((text) => text.trim() === "");
  const isHidden = askedOf(exploration).length === 0;
  return (
    <Page
      title="Metrics"
      name="Metrics"
      actions={
        <>
          <Button variant="default" leftSection={<IconList size={14} />} onClick={list.open} data-tip="All metrics  b">
            Browse
          </Button>
          <HistoryMenu onChoose={ask} />
          <SavedMenu kind="metrics" query={askedOf(exploration).map(({ expr }) => expr).join("\n")} />
          <AddButton exploration={exploration} />
          <ShareButton exploration={exploration} />
        </>
      }
    >
      <MetricsTabs />
      <div className={classes.queries}>
        {drafts.map((draft, place) => (
          <QueryRow
            key={draft.id}
            place={place}
            text={draft.text}
            state={states.get(place)}
            isHidden={exploration.hidden.includes(place)}
            isOnly={drafts.length === 1}
            onWrite={(text) => write(draft.id, text)}
            onRun={() => run()}
            onDrop={() => exploring.drop(place)}
            onToggle={() => exploring.toggle(place)}
            onFix={(text) => run(texts.map((one, at) => (at === place ? text : one)))}
            editor={(handle) => void (editors.current[place] = handle)}
          />
        ))}
        <div className={classes.run}>
          <Button leftSection={<IconPlayerPlay size={14} />} onClick={() => run()} variant={exploring.isDraft ? "filled" : "default"} data-tip={`Run  ${MOD} Enter`}>
            Run
          </Button>
          <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => add()}>
            Add query
          </Button>
        </div>
      </div>
      {!isHidden && <Options exploration={exploration} onChange={change} />}
      {isBlank ? (
        <Beginning onChoose={ask} />
      ) : isHidden ? (
        <Empty title="Every query is hidden">
          <Button variant="default" onClick={() => change({ hidden: [] })}>
            Show them
          </Button>
        </Empty>
      ) : exploration.view === "graph" ? (
        <GraphView exploration={exploration} states={states} step={step} />
      ) : exploration.view === "heat" ? (
        <HeatView exploration={exploration} states={states} />
      ) : exploration.view === "table" ? (
        <TableView exploration={exploration} states={states} />
      ) : (
        <JsonView exploration={exploration} states={states} />
      )}
      <MetricBrowser
        isOpen={isListOpen}
        onClose={list.close}
        onChoose={(name, type) => {
          list.close();
          ask(firstQuery(name, type));
        }}
      />
    </Page>
  );
}

function Options({ exploration, onChange }: { exploration: Exploration; onChange: (part: Partial<Exploration>) => void }) {
  const hasTime = exploration.view === "graph" || exploration.view === "heat";
  return (
    <div className={classes.options}>
      <SegmentedControl
        size="xs"
        aria-label="View"
        value={exploration.view}
        onChange={(view) => onChange({ view: view as View })}
        data={[{ value: "graph", label: "Graph" }, { value: "heat", label: "Heat map" }, { value: "table", label: "Table" }, { value: "json", label: "JSON" }]}
      />
      {hasTime && <Select className={classes.unit} aria-label="Unit" data={UNITS} value={exploration.unit} onChange={(unit) => onChange({ unit: unit ?? "" })} />}
      {exploration.view === "graph" && (
        <>
          <Checkbox size="xs" label="Compare with last week" checked={exploration.isCompared} onChange={(event) => onChange({ isCompared: event.currentTarget.checked })} />
          <Checkbox size="xs" label="Stacked" checked={exploration.isStacked} onChange={(event) => onChange({ isStacked: event.currentTarget.checked })} />
          <Checkbox size="xs" label="Exemplars" checked={exploration.hasExemplars} onChange={(event) => onChange({ hasExemplars: event.currentTarget.checked })} />
        </>
      )}
      {hasTime && <Checkbox size="xs" label="Events" checked={exploration.hasMarks} onChange={(event) => onChange({ hasMarks: event.currentTarget.checked })} />}
    </div>
  );
}

function AddButton({ exploration }: { exploration: Exploration }) {
  const { range } = useTimeRange();
  const queries = askedOf(exploration).map(({ expr }) => expr);
  const cell = (): CellBody => {
    const { start, end } = resolveRange(range, new Date());
    return { kind: "metrics", content: { queries, start: start.toISOString(), end: end.toISOString() } };
  };
  return <AddToInvestigation cell={cell} what="graph" isDisabled={queries.length === 0} />;
}

/** The link holds the window as it stands now, so that a colleague sees the same, also tomorrow. */
function ShareButton({ exploration }: { exploration: Exploration }) {
  const { range } = useTimeRange();
  const share = async (): Promise<void> => {
    const { start, end } = resolveRange(range, new Date());
    const params = writeRange(writeExploration(new URLSearchParams(), exploration), { kind: "fixed", from: start, to: end });
    const link = `${location.origin}/explore?${params.toString()}`;
    try {
      await navigator.clipboard.writeText(link);
      notifications.show({ message: "The link is copied. It shows this window, also later." });
    } catch {
      // Browsers give no clipboard to pages over plain HTTP.
      notifications.show({ title: "Copy this link", message: link, autoClose: false });
    }
  };
  return (
    <Button variant="default" leftSection={<IconLink size={14} />} onClick={() => void share()}>
      Share
    </Button>
  );
}
