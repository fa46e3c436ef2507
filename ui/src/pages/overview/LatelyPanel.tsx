// What changed lately: the newest facts of the event log, arriving live.
import { Section } from "@/components/Page";
import { EventList } from "@/components/EventList";
import { Go } from "@/components/Go";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { condense } from "@/lib/events";
import { useRecentEvents } from "@/state/events";

const SHOWN = 14;
const ASKED = 60;

export function LatelyPanel() {
  const { query, freshAfter } = useRecentEvents({}, ASKED);
  return (
    <Section
      title="What changed lately"
      aside={
        <Go to="/events" className="link bare">
          All events
        </Go>
      }
    >
      <QueryView query={query} skeleton={<SkeletonRows rows={8} height={48} />}>
        {(events) => (events.length > 0 ? <EventList events={condense(events).slice(0, SHOWN)} fresh={freshAfter} /> : <Empty title="Nothing has happened yet">Changes of health, people and configuration appear here.</Empty>)}
      </QueryView>
    </Section>
  );
}
