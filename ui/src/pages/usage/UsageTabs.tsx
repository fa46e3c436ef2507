// Who keeps and reads how much, what the store is made of, what is taken out: three pages that belong together.
import { TabLinks } from "@/components/TabLinks";

export function UsageTabs() {
  return (
    <TabLinks
      label="Usage"
      links={[
        { to: "/usage", label: "Usage" },
        { to: "/usage/storage", label: "Storage" },
        { to: "/usage/scrubbing", label: "Scrubbing" },
      ]}
    />
  );
}
