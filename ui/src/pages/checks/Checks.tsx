// Every check as one dense line; what is filtered and how it is ordered stands in the URL.
import { Select } from "@mantine/core";
import { IconRadar } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { checksQuery } from "@/api/queries";
import type { CheckSummary } from "@/api/types";
import { CheckTable } from "@/components/CheckTable";
import { FilterInput } from "@/components/FilterInput";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { VerdictFilter } from "@/components/VerdictFilter";
import { filterChecks, parseSort, parseVerdicts, writeSort } from "@/lib/checks";
import { plural } from "@/lib/format";
import { countVerdicts } from "@/lib/status";
import { useUrlFilter } from "@/state/timerange";
import classes from "./Checks.module.css";

const TEACH = `# ops/checks/web.yaml
checks:
  - name: website
    kind: http
    url: https://example.org/
    every: 30s`;

export function Checks() {
  const checks = useQuery(checksQuery);
  const [text] = useUrlFilter("q");
  const [service, setService] = useUrlFilter("service");
  const [verdictText, setVerdictText] = useUrlFilter("verdict");
  const [sortText, setSortText] = useUrlFilter("sort");
  const sort = useMemo(() => parseSort(sortText), [sortText]);
  const verdicts = useMemo(() => parseVerdicts(verdictText), [verdictText]);
  const all = checks.data ?? [];
  const counted = filterChecks(all, { verdicts: [], service, text });
  const shown = useMemo(() => filterChecks(checks.data ?? [], { verdicts, service, text }), [checks.data, verdicts, service, text]);
  return (
    <Page title="Checks" name="Checks" subtitle={checks.data ? summary(all, shown) : "\u00a0"}>
      <div className={classes.filters} hidden={checks.data?.length === 0}>
        <VerdictFilter counts={countVerdicts(counted.map((check) => check.verdict))} value={verdicts} onChange={(next) => setVerdictText(next.join(","))} />
        <Select
          className={classes.service}
          aria-label="Filter by service"
          placeholder="All services"
          data={serviceNames(all)}
          value={service || null}
          onChange={(value) => setService(value ?? "")}
          searchable
          clearable
        />
        <FilterInput name="q" placeholder="Filter checks" />
      </div>
      <QueryView query={checks} skeleton={<SkeletonRows rows={18} />}>
        {(loaded) => {
          if (loaded.length === 0) {
            return (
              <Empty title="No checks yet" snippet={TEACH} icon={<IconRadar size={32} stroke={1.4} />}>
                Put a file into <code>ops/checks</code>; it is loaded as soon as it is saved. Or run <code>holdfast discover</code> to write checks for what listens on this host.
              </Empty>
            );
          }
          if (shown.length === 0) return <Empty title="No check matches">Change the filters above, or press Escape in the text filter.</Empty>;
          return <CheckTable checks={shown} sort={sort} onSort={(next) => setSortText(writeSort(next))} />;
        }}
      </QueryView>
    </Page>
  );
}

function serviceNames(checks: readonly CheckSummary[]): string[] {
  return [...new Set(checks.flatMap((check) => check.service ?? []))].sort();
}

function summary(all: readonly CheckSummary[], shown: readonly CheckSummary[]): string {
  const paused = all.filter((check) => check.paused).length;
  const of = shown.length === all.length ? plural(all.length, "check") : `${shown.length} of ${plural(all.length, "check")}`;
  return `${of}${paused > 0 ? `, ${paused} paused` : ""}`;
}
