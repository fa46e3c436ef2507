// The event log as a live timeline: newest first, day by day, filtered by kind, service and words. New events wait
// behind a button while somebody reads further down or has paused.
import { Button, MultiSelect, Select } from "@mantine/core";
import { IconArrowUp, IconPlayerPause, IconPlayerPlay, IconTimelineEvent } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Fragment, useMemo } from "react";
import { servicesQuery } from "@/api/queries";
import type { LogEvent } from "@/api/types";
import { EventList } from "@/components/EventList";
import { FilterInput } from "@/components/FilterInput";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { EVENT_AREAS, eventText } from "@/lib/events";
import { plural } from "@/lib/format";
import { groupBy } from "@/lib/group";
import { matchesText } from "@/lib/text";
import { formatDay } from "@/lib/time";
import { PRESETS, type Preset } from "@/lib/timerange";
import { useKeys } from "@/state/shortcuts";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { type Timeline, useTimeline } from "./timeline";
import classes from "./Events.module.css";

export function Events() {
  const [areaText, setAreaText] = useUrlFilter("kind");
  const [service, setService] = useUrlFilter("service");
  const [text] = useUrlFilter("q");
  const areas = useMemo(() => areaText.split(",").filter((area) => area in EVENT_AREAS), [areaText]);
  const timeline = useTimeline({ areas, service });
  const services = useQuery(servicesQuery).data;
  useKeys({ " ": timeline.togglePause });
  return (
    <Page
      title="Events"
      name="Events"
      subtitle={timeline.query.data ? <Summary timeline={timeline} /> : "\u00a0"}
    >
      <div className={classes.filters}>
        <MultiSelect
          size="xs"
          className={classes.kinds}
          aria-label="Filter by kind"
          placeholder={areas.length === 0 ? "All kinds" : undefined}
          data={Object.entries(EVENT_AREAS).map(([value, label]) => ({ value, label }))}
          value={areas}
          onChange={(value) => setAreaText(value.join(","))}
          clearable
        />
        <Select className={classes.service} aria-label="Filter by service" placeholder="All services" data={(services ?? []).map((one) => one.name).sort()} value={service || null} onChange={(value) => setService(value ?? "")} searchable clearable />
        <FilterInput name="q" placeholder="Filter events" />
        <Button variant="default" data-tip={timeline.isPaused ? "Follow  Space" : "Pause  Space"} leftSection={timeline.isPaused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />} onClick={timeline.togglePause}>
          {timeline.isPaused ? "Follow" : "Pause"}
        </Button>
      </div>
      <QueryView query={timeline.query} skeleton={<SkeletonRows rows={12} height={46} />}>
        {(events) => <List events={events.filter((event) => matchesText(text, eventText(event)))} timeline={timeline} isFiltered={Boolean(areas.length > 0 || service || text)} />}
      </QueryView>
    </Page>
  );
}

function Summary({ timeline }: { timeline: Timeline }) {
  const { range } = useTimeRange();
  const count = timeline.query.data?.length ?? 0;
  const span = range.kind === "preset" ? PRESETS[range.preset].label.toLowerCase() : "chosen window";
  return (
    <>
      {plural(count, "event")}
      {timeline.hasOlder ? " loaded of" : " in"} the {span}
      {timeline.isPaused && ", paused"}
    </>
  );
}

function List({ events, timeline, isFiltered }: { events: readonly LogEvent[]; timeline: Timeline; isFiltered: boolean }) {
  const days = useMemo(() => {
    const now = new Date();
    return [...groupBy(events, (event) => formatDay(new Date(event.at), now))];
  }, [events]);
  return (
    <div className={classes.timeline} ref={timeline.area}>
      <div className={classes.fresh} aria-live="polite">
        {timeline.waiting > 0 && (
          <Button size="compact-xs" radius="xl" leftSection={<IconArrowUp size={13} />} onClick={timeline.showWaiting}>
            {plural(timeline.waiting, "new event")}
          </Button>
        )}
      </div>
      {days.map(([day, list]) => (
        <Fragment key={day}>
          <h2 className={classes.day}>{day}</h2>
          <EventList events={list} fresh={timeline.freshAfter} isDetailed />
        </Fragment>
      ))}
      <Foot timeline={timeline} isEmpty={events.length === 0} isFiltered={isFiltered} />
    </div>
  );
}

function Foot({ timeline, isEmpty, isFiltered }: { timeline: Timeline; isEmpty: boolean; isFiltered: boolean }) {
  const { range, setRange } = useTimeRange();
  if (timeline.hasOlder) {
    return (
      <div className={classes.foot}>
        <Button variant="default" onClick={timeline.loadOlder} loading={timeline.isLoadingOlder}>
          Load older events
        </Button>
      </div>
    );
  }
  const longer = range.kind === "preset" ? nextPreset(range.preset) : null;
  const further = longer && (
    <Button variant="default" onClick={() => setRange({ kind: "preset", preset: longer })}>
      Show the {PRESETS[longer].label.toLowerCase()}
    </Button>
  );
  if (isEmpty) {
    return (
      <>
        <Empty title={isFiltered ? "No event matches" : "Nothing happened in this window"} icon={<IconTimelineEvent size={32} stroke={1.4} />}>
          Changes of health, people and configuration appear here the moment they happen.
        </Empty>
        <div className={classes.foot}>{further}</div>
      </>
    );
  }
  return <div className={classes.foot}>{further}</div>;
}

function nextPreset(preset: Preset): Preset | null {
  const names = Object.keys(PRESETS) as Preset[];
  return names[names.indexOf(preset) + 1] ?? null;
}
