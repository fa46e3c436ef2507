// Runs, what holds them back, and what starts them: three pages that belong together.
import { TabLinks } from "@/components/TabLinks";

export function RunsTabs() {
  return (
    <TabLinks
      label="Runs"
      links={[
        { to: "/runs", label: "Runs" },
        { to: "/runs/queues", label: "Queues" },
        { to: "/runs/schedules", label: "Schedules" },
      ]}
    />
  );
}
