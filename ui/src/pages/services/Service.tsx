// One service: how it is and why, its checks, what it leans on and who leans on it, what happened to it, whose it is.
import { Button } from "@mantine/core";
import { IconExternalLink, IconTimelineEvent } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { checksQuery, serviceQuery } from "@/api/queries";
import type { Reason, ServiceDetail } from "@/api/types";
import { CheckTable } from "@/components/CheckTable";
import { EventList } from "@/components/EventList";
import { Facts } from "@/components/Facts";
import { Figures } from "@/components/Figures";
import { checkPath, Go, servicePath } from "@/components/Go";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { StatusIconLabelled, StatusMark } from "@/components/StatusMark";
import { Age } from "@/components/When";
import { aroundPath } from "@/lib/around";
import { parseSort, writeSort } from "@/lib/checks";
import { condense } from "@/lib/events";
import { plural } from "@/lib/format";
import { entityName, safeUrl, tierText } from "@/lib/text";
import { uptimeItems } from "@/lib/uptime";
import { useRecentEvents } from "@/state/events";
import { useUrlFilter } from "@/state/timerange";
import { Deploys } from "./Deploys";
import { Neighbours } from "./Neighbours";
import { ServiceTimeline } from "./ServiceTimeline";
import classes from "./Service.module.css";

export function Service() {
  const { name = "" } = useParams();
  const query = useQuery(serviceQuery(name));
  const service = query.data;
  return (
    <Page
      name={service?.title ?? name}
      title={
        <>
          {service?.title ?? name}
          {service && <StatusMark verdict={service.health} size={18} isStrong />}
        </>
      }
      subtitle={service ? <Subtitle service={service} /> : "\u00a0"}
      actions={
        service && (
          <>
            <Button component={Go} to={aroundPath({ service: service.name })} variant="default" leftSection={<IconTimelineEvent size={14} />}>
              What moved
            </Button>
            <Links service={service} />
          </>
        )
      }
    >
      <QueryView query={query} skeleton={<Skeleton />}>
        {(loaded) => (
          <>
            {loaded.reasons.length > 0 && loaded.health !== "up" && <Reasons service={loaded} />}
            <Figures items={uptimeItems(loaded.uptime)} />
            <div className={classes.columns}>
              <div className={classes.main}>
                <ServiceChecks service={loaded} />
                <ServiceTimeline service={loaded} />
                <Neighbours service={loaded} />
              </div>
              <aside className={classes.aside}>
                <Deploys service={loaded.name} />
                <About service={loaded} />
                <ServiceEvents name={loaded.name} />
              </aside>
            </div>
          </>
        )}
      </QueryView>
    </Page>
  );
}

function Subtitle({ service }: { service: ServiceDetail }) {
  return (
    <span className={classes.subtitle}>
      <span>{[tierText(service.tier), service.type || service.kind].filter(Boolean).join(" ")}</span>
      {service.owner && <span>owned by {entityName(service.owner)}</span>}
      {service.health_since && (
        <span>
          in this state for <Age since={service.health_since} />
        </span>
      )}
      {service.description && <span className={classes.description}>{service.description}</span>}
    </span>
  );
}

function Reasons({ service }: { service: ServiceDetail }) {
  return (
    <ul className={classes.reasons} data-tone={service.health} aria-label="Why">
      {service.reasons.map((reason) => (
        <li key={`${reason.check ?? ""}/${reason.service ?? ""}`}>
          <StatusIconLabelled verdict={reason.verdict} />
          <span className="grow">
            <ReasonLink reason={reason} /> {reason.message}
          </span>
        </li>
      ))}
    </ul>
  );
}

function ReasonLink({ reason }: { reason: Reason }) {
  const path = reason.check ? checkPath(reason.check) : reason.service ? servicePath(reason.service) : null;
  if (!path) return null;
  return (
    <Go to={path} className={classes.reasonLink}>
      {reason.check ?? reason.service}
    </Go>
  );
}

function Links({ service }: { service: ServiceDetail }) {
  return service.links.map(({ title, url }) => {
    const safe = safeUrl(url);
    if (!safe) return null;
    return (
      <a key={url} href={safe} target="_blank" rel="noreferrer" className={classes.link}>
        {title ?? new URL(safe, location.href).hostname}
        <IconExternalLink size={13} aria-hidden />
      </a>
    );
  });
}

function ServiceChecks({ service }: { service: ServiceDetail }) {
  const [sortText, setSortText] = useUrlFilter("sort");
  const all = useQuery(checksQuery);
  const names = new Set(service.checks.map((check) => check.name));
  const checks = all.data?.filter((check) => names.has(check.name));
  return (
    <Section title="Checks" aside={service.checks.length > 0 && plural(service.checks.length, "check")}>
      {service.checks.length > 0 ? (
        <QueryView query={{ ...all, data: checks }} skeleton={<SkeletonRows rows={service.checks.length} />}>
          {(loaded) => <CheckTable checks={loaded} sort={parseSort(sortText)} onSort={(sort) => setSortText(writeSort(sort))} hasService={false} />}
        </QueryView>
      ) : (
        <Empty title="No check watches this service" snippet={teach(service.name)}>
          Its health stays unknown until one does. A check attaches by its <code>service</code> or by a selector.
        </Empty>
      )}
    </Section>
  );
}

function teach(name: string): string {
  return `# ops/checks/${name}.yaml
checks:
  - name: ${name}-ready
    kind: http
    service: ${name}
    every: 10s
    http:
      url: http://127.0.0.1:8000/readyz`;
}

function About({ service }: { service: ServiceDetail }) {
  return (
    <Section title="About">
      <Facts
        facts={{
          Name: service.name,
          Kind: [service.kind, service.type].filter(Boolean).join(", "),
          Owner: service.owner ? entityName(service.owner) : "nobody",
          System: service.system,
          Tier: service.tier,
          Lifecycle: service.lifecycle,
          ...(service.tags.length > 0 ? { Tags: service.tags } : {}),
          ...(service.apis.length > 0 ? { APIs: service.apis } : {}),
          ...service.annotations,
          ...(service.defined_at ? { "Defined at": service.defined_at } : {}),
        }}
      />
    </Section>
  );
}

function ServiceEvents({ name }: { name: string }) {
  const { query, freshAfter } = useRecentEvents({ service: name }, 60);
  return (
    <Section
      title="What happened"
      aside={
        <Go to={`/events?service=${encodeURIComponent(name)}`} className="link bare">
          All
        </Go>
      }
    >
      <QueryView query={query} skeleton={<SkeletonRows rows={4} height={46} />}>
        {(events) => (events.length > 0 ? <EventList events={condense(events).slice(0, 12)} fresh={freshAfter} /> : <p className="faint">Nothing yet.</p>)}
      </QueryView>
    </Section>
  );
}

function Skeleton() {
  return (
    <div className={classes.main}>
      <SkeletonBlock height={58} />
      <SkeletonRows rows={6} />
      <SkeletonBlock height={180} />
    </div>
  );
}
