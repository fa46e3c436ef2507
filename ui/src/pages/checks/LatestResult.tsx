// The newest result: its phases as a waterfall and the facts the probe noted.
import type { CheckDetail } from "@/api/types";
import { Facts } from "@/components/Facts";
import { Section } from "@/components/Page";
import { When } from "@/components/When";
import { Waterfall } from "./Waterfall";
import { formatDuration } from "@/lib/format";

export function LatestResult({ check }: { check: CheckDetail }) {
  return (
    <Section title="Latest result" aside={<When at={check.last_at} />}>
      <Waterfall phases={check.phases} total={check.duration_s} />
      <Facts
        facts={{
          Took: formatDuration(check.duration_s),
          Message: check.message,
          ...check.facts,
          ...(check.parents.length > 0 ? { parents: check.parents.join(", ") } : {}),
          breaker: check.breaker.replace("_", " "),
        }}
      />
    </Section>
  );
}
