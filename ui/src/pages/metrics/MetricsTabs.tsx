// What is asked, who is scraped, how many series there are: three pages that belong together.
import { TabLinks } from "@/components/TabLinks";

export function MetricsTabs() {
  return (
    <TabLinks
      label="Metrics"
      links={[
        { to: "/explore", label: "Explore" },
        { to: "/explore/targets", label: "Targets" },
        { to: "/explore/cardinality", label: "Cardinality" },
      ]}
    />
  );
}
