// Runs, what holds them back, and what starts them: three pages that belong together.
import { useQuery } from "@tanstack/react-query";
import { queuesQuery } from "@/api/runQueries";
import { TabLinks } from "@/components/TabLinks";

export function RunsTabs() {
  const held = useQuery(queuesQuery).data?.items.filter((queue) => queue.state !== "open").length;
  return (
    <TabLinks
      label="Runs"
      links={[
        { to: "/runs", label: "Runs" },
        { to: "/runs/queues", label: "Queues", note: held ? `${held} held` : "" },
        { to: "/runs/schedules", label: "Schedules" },
      ]}
    />
  );
}
