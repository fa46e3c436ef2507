// What the store is made of: the disk, every table with its parts and records, merges that run, how long what is kept.
import { IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { storageQuery } from "@/api/usageQueries";
import type { KeptFor, StorageReport, StoredTable } from "@/api/types";
import { Figures } from "@/components/Figures";
import { Meter } from "@/components/Meter";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { shareOf } from "@/lib/cardinality";
import { NOTHING, formatBytes, formatCount, formatDuration, formatShare, formatSpan, plural } from "@/lib/format";
import { UsageTabs } from "./UsageTabs";
import classes from "./Usage.module.css";

const PLAIN = `${table.table} ${table.plain}`;

export function Storage() {
  const query = useQuery(storageQuery);
  return (
    <Page title="Storage" name="Storage" subtitle="What all tenants' data take, how it lies on the disk, and how long it stays.">
      <UsageTabs />
      <QueryView query={query} skeleton={<Waiting />}>
        {(report) => <Found report={report} />}
      </QueryView>
    </Page>
  );
}

function Found({ report }: { report: StorageReport }) {
  const used = report.tables.filter((one) => one.rows > 0);
  return (
    <>
      {report.is_full && (
        <Notice tone="down" title="The disk is full: nothing is taken in">
          Queries go on. Free some room, keep less (telemetry.retention, logs.max_size, metrics.max_size), or lower telemetry.reserve.
        </Notice>
      )}
      <Numbers report={report} />
      {used.length === 0 ? (
        <Empty title="The store is empty" icon={<IconDatabase size={32} stroke={1.4} />}>
          Tables appear here as soon as they have records.
        </Empty>
      ) : (
        <Tables tables={used} />
      )}
      <Merges report={report} />
      <Retention rules={report.retention} />
    </>
  );
}

function Numbers({ report }: { report: StorageReport }) {
  const sum = (value: (one: StoredTable) => number) => report.tables.reduce((total, one) => total + value(one), 0);
  return (
    <Figures
      items={[
        { label: "On the disk", value: formatBytes(sum((one) => one.size_bytes)), note: plural(sum((one) => one.rows), "row") },
        { label: "Parts", value: formatCount(sum((one) => one.parts)), note: `${plural(sum((one) => one.parts_waiting), "replaced one")} to be removed` },
        { label: "Merges", value: formatCount(report.merges.length), note: "running now" },
        report.disk_free_bytes === null
          ? { label: "Disk", value: <span className="faint">not ours</span>, note: "a server keeps the store" }
          : { label: "Disk free", value: formatBytes(report.disk_free_bytes), note: `of ${formatBytes(report.disk_bytes)}; writes stop below ${formatBytes(report.reserve_bytes)}` },
        { label: "Place", value: <span className={`${classes.place} mono`}>{report.place}</span>, note: "" },
      ]}
    />
  );
}

function Tables({ tables }: { tables: readonly StoredTable[] }) {
  const total = tables.reduce((sum, one) => sum + one.size_bytes, 0);
  return (
    <Section title="Tables" aside="oldest and newest: to the hour or two, as the index tells it">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Tables">
        <table className={`${PLAIN} ${classes.tables}`}>
          <thead>
            <tr>
              <th>Table</th>
              <th className={classes.signal}>Signal</th>
              <th data-align="right" className={classes.number}>Size</th>
              <th data-align="right" className={classes.share}>Share</th>
              <th data-align="right" className={classes.number}>Rows</th>
              <th data-align="right" className={classes.number}>Bytes a row</th>
              <th data-align="right" className={classes.short}>Parts</th>
              <th className={classes.time}>Oldest</th>
              <th className={classes.time}>Newest</th>
            </tr>
          </thead>
          <tbody>
            {[...tables].sort((a, b) => b.size_bytes - a.size_bytes).map((one) => (
              <tr key={one.table}>
                <td className="mono" data-tip={one.table}>{one.table}</td>
                <td className="dim">{one.signal}</td>
                <td data-align="right" className="tabular">{formatBytes(one.size_bytes)}</td>
                <td data-align="right">
                  <Meter share={shareOf(one.size_bytes, total)} text={formatShare(one.size_bytes, total)} />
                </td>
                <td data-align="right" className="tabular">{formatCount(one.rows)}</td>
                <td data-align="right" className="tabular dim">{(one.size_bytes / one.rows).toFixed(1)}</td>
                <td data-align="right" className="tabular dim" data-tip={one.parts_waiting > 0 ? `${plural(one.parts_waiting, "replaced part")} to be removed` : undefined}>{formatCount(one.parts)}</td>
                <td><When at={one.oldest} /></td>
                <td><When at={one.newest} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Merges({ report }: { report: StorageReport }) {
  if (report.merges.length === 0) return null;
  return (
    <Section title="Merges" aside="parts that become one">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Merges">
        <table className={`${PLAIN} ${classes.merges}`}>
          <thead>
            <tr>
              <th>Table</th>
              <th data-align="right" className={classes.short}>Parts</th>
              <th data-align="right" className={classes.number}>Size</th>
              <th data-align="right" className={classes.number}>For</th>
              <th data-align="right" className={classes.share}>Done</th>
            </tr>
          </thead>
          <tbody>
            {report.merges.map((merge, place) => (
              <tr key={`${merge.table}${place}`}>
                <td className="mono">{merge.table}</td>
                <td data-align="right" className="tabular">{merge.parts}</td>
                <td data-align="right" className="tabular">{formatBytes(merge.size_bytes)}</td>
                <td data-align="right" className="tabular dim">{formatDuration(merge.elapsed_s)}</td>
                <td data-align="right">
                  <Meter share={merge.progress} text={formatShare(merge.progress, 1)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Retention({ rules }: { rules: readonly KeptFor[] }) {
  return (
    <Section title="Retention" aside="the first line that fits holds, for what comes in from now on">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Retention">
        <table className={`${PLAIN} ${classes.retention}`}>
          <thead>
            <tr>
              <th className={classes.signal}>Signal</th>
              <th className={classes.tenant}>Tenant</th>
              <th data-align="right" className={classes.number}>Kept for</th>
              <th className={classes.match}>Matcher</th>
              <th className={classes.setting}>Setting</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <tr key={`${rule.setting}${rule.tenant}`}>
                <td>{rule.signal}</td>
                <td className={rule.tenant ? undefined : "faint"}>{rule.tenant || "every"}</td>
                <td data-align="right" className="tabular">{formatSpan(rule.keep_s)}</td>
                <td className={`${classes.match} ${rule.match ? "mono" : "faint"}`} data-tip={rule.match || undefined}>{rule.match || NOTHING}</td>
                <td className="mono dim" data-tip={rule.setting}>{rule.setting}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting}>
      <SkeletonBlock height={74} />
      <Section title="Tables">
        <SkeletonRows rows={6} height={32} />
      </Section>
    </div>
  );
}
