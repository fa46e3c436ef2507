// What is taken out of logs and traces before they are kept: kinds, what becomes of each, finds by door, and a trial.
import { useQuery } from "@tanstack/react-query";
import { scrubQuery } from "@/api/usageQueries";
import type { ScrubKind, ScrubReport } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { formatCount, NOTHING, plural } from "@/lib/format";
import { TryIt } from "./TryIt";
import { UsageTabs } from "./UsageTabs";
import classes from "./Usage.module.css";

const ACTION_WORD: Record<string, string> = { mask: "masked", hash: "hashed", drop: "dropped", keep: "kept (off)" };

export function Scrubbing() {
  const query = useQuery(scrubQuery);
  return (
    <Page title="Scrubbing" name="Scrubbing" subtitle="Secrets and personal data that are taken out of logs and traces before anything is kept.">
      <UsageTabs />
      <QueryView query={query} skeleton={<Waiting />}>
        {(report) => <Found report={report} />}
      </QueryView>
    </Page>
  );
}

function Found({ report }: { report: ScrubReport }) {
  const sum = (value: (kind: ScrubKind) => number) => report.kinds.reduce((total, kind) => total + value(kind), 0);
  const isOff = (kind: ScrubKind) => kind.action === "keep";
  const off = report.kinds.filter(isOff);
  const isAllOff = off.length === report.kinds.length;
  return (
    <>
      {isAllOff && (
        <Notice tone="degraded" title="Nothing is looked for">
          Every kind is kept. Take its line out of [scrub.kinds] in holdfast.toml, and it is masked again.
        </Notice>
      )}
      <Figures
        items={[
          { label: "Found in logs", value: formatCount(sum((kind) => kind.in_logs)), note: "since Holdfast started" },
          { label: "Found in traces", value: formatCount(sum((kind) => kind.in_traces)), note: "since Holdfast started" },
          { label: "Looked for", value: formatCount(report.kinds.length - off.length), note: `${plural(report.kinds.filter((kind) => kind.expression !== null).length, "pattern")} of your own` },
          { label: "Off", value: formatCount(off.length), note: off.map((kind) => kind.kind).join(", ") || "none" },
        ]}
      />
      <TryIt />
      <Section title="Kinds" aside="[scrub.kinds] and scrub.own in holdfast.toml say what becomes of each">
        <div className={table.scroll} tabIndex={0} role="region" aria-label="Kinds">
          <table className={`${table.table} ${table.plain} ${classes.kinds}`}>
            <thead>
              <tr>
                <th className={classes.kind}>Kind</th>
                <th className={classes.signal}>Finds are</th>
                <th data-align="right" className={classes.number}>In logs</th>
                <th data-align="right" className={classes.number}>In traces</th>
                <th>By door</th>
                <th>Own pattern</th>
              </tr>
            </thead>
            <tbody>
              {[...report.kinds].sort((a, b) => b.in_logs + b.in_traces - a.in_logs - a.in_traces).map((kind) => (
                <tr key={kind.kind}>
                  <td className="mono">{kind.kind}</td>
                  <td className={isOff(kind) ? "faint" : undefined}>{ACTION_WORD[kind.action] ?? kind.action}</td>
                  <td data-align="right" className="tabular">{formatCount(kind.in_logs)}</td>
                  <td data-align="right" className="tabular">{formatCount(kind.in_traces)}</td>
                  <td className="dim" data-tip={doors(kind) || undefined}>{doors(kind) || NOTHING}</td>
                  <td className={kind.expression ? "mono" : "faint"} data-tip={kind.expression ?? undefined}>{kind.expression ?? "built in"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}

function doors(kind: ScrubKind): string {
  return Object.entries(kind.doors)
    .sort(([, a], [, b]) => b - a)
    .map(([door, count]) => `${door} ${formatCount(count)}`)
    .join(", ");
}

function Waiting() {
  return (
    <div className={classes.waiting}>
      <SkeletonBlock height={74} />
      <SkeletonBlock height={180} />
      <Section title="Kinds">
        <SkeletonRows rows={8} height={32} />
      </Section>
    </div>
  );
}
