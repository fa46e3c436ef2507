// Searching traces, what is slow or failed in them, comparing them, who calls whom: four pages that belong together.
import { useSearchParams } from "react-router";
import { TabLinks } from "@/components/TabLinks";
import { readWish, searchPath } from "@/lib/traces/search";

/** What is searched for goes along from page to page; the map is of everything. */
export function TracesTabs() {
  const wish = readWish(useSearchParams()[0]);
  return (
    <TabLinks
      label="Traces"
      links={[
        { to: searchPath(wish), label: "Search" },
        { to: searchPath(wish, "/traces/groups"), label: "Slow and failed" },
        { to: searchPath(wish, "/traces/compare"), label: "Compare" },
        { to: "/traces/map", label: "Map" },
      ]}
    />
  );
}
