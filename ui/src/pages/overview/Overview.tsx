// The first page: what needs attention, how every service is, what changed lately, how the machine is.
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { checksQuery, servicesQuery } from "@/api/queries";
import type { ServiceSummary } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { VerdictFilter } from "@/components/VerdictFilter";
import { parseVerdicts } from "@/lib/checks";
import { plural } from "@/lib/format";
import { countVerdicts } from "@/lib/status";
import { entityName, matchesText } from "@/lib/text";
import { useUrlFilter } from "@/state/timerange";
import { HostStrip } from "./HostStrip";
import { LatelyPanel } from "./LatelyPanel";
import { ServiceTable } from "./ServiceTable";
import classes from "./Overview.module.css";

const TEACH = `# ops/services/shop.yaml  (Backstage format)
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: service
  owner: group:checkout
  lifecycle: production`;

export function Overview() {
  const services = useQuery(servicesQuery);
  const checks = useQuery(checksQuery);
  const [text] = useUrlFilter("q");
  const [verdictText, setVerdictText] = useUrlFilter("health");
  const [team, setTeam] = useUrlFilter("team");
  const verdicts = useMemo(() => parseVerdicts(verdictText), [verdictText]);
  const counts = countVerdicts((services.data ?? []).filter((service) => team === "" || teamOf(service) === team).map((service) => service.health));
  return (
    <Page title="Overview" name="Overview" subtitle={services.data ? <Headline services={services.data} /> : "\u00a0"}>
      <HostStrip />
      <div className={classes.columns}>
        <Section
          title="Services"
          aside={
            services.data?.length !== 0 && (
              <div className={classes.filters}>
                <VerdictFilter counts={counts} value={verdicts} onChange={(next) => setVerdictText(next.join(","))} />
                <TeamFilter services={services.data ?? []} team={team} onChoose={setTeam} />
                <FilterInput name="q" placeholder="Filter services" />
              </div>
            )
          }
        >
          <QueryView query={services} skeleton={<SkeletonRows rows={10} height={44} />}>
            {(all) => {
              const shown = all.filter((service) => (verdicts.length === 0 || verdicts.includes(service.health)) && (team === "" || teamOf(service) === team) && matchesService(service, text));
              if (all.length === 0) {
                return (
                  <Empty title="No services yet" snippet={TEACH}>
                    A service is something that somebody owns. Describe yours in <code>ops/services</code>, or let <code>holdfast discover</code> find what listens on this host.
                  </Empty>
                );
              }
              if (shown.length === 0) return <Empty title="No service matches">Change the filters above, or press Escape in the one for names.</Empty>;
              return <ServiceTable services={shown} checks={checks.data ?? []} />;
            }}
          </QueryView>
        </Section>
        <LatelyPanel />
      </div>
    </Page>
  );
}

const teamOf = (service: ServiceSummary): string => entityName(service.owner);

/** Where services are of several teams, only those of one. */
function TeamFilter({ services, team, onChoose }: { services: readonly ServiceSummary[]; team: string; onChoose: (team: string) => void }) {
  const teams = [...new Set(services.map(teamOf).filter(Boolean).concat(team || []))].sort();
  if (teams.length < 2 && team === "") return null;
  return <Select className={classes.team} aria-label="Team" placeholder="Any team" data={teams} value={team || null} onChange={(value) => onChoose(value ?? "")} searchable clearable />;
}

function matchesService(service: ServiceSummary, text: string): boolean {
  return matchesText(text, [service.name, service.title, service.owner && entityName(service.owner), service.system, service.tier, service.type, ...service.tags]);
}

function Headline({ services }: { services: readonly ServiceSummary[] }) {
  if (services.length === 0) return <>Nothing is watched yet.</>;
  const counts = countVerdicts(services.map((service) => service.health));
  const sick = counts.down + counts.degraded;
  if (sick > 0) return <>{`${sick} of ${plural(services.length, "service")} ${sick === 1 ? "needs" : "need"} attention.`}</>;
  if (counts.unknown > 0) return <>{`No known problem; ${plural(counts.unknown, "service is", "services are")} unknown.`}</>;
  return <>{`All ${plural(services.length, "service")} are up.`}</>;
}
