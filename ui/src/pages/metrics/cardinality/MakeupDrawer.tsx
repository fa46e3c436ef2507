// One metric: how it grows, who sends it, and which labels with which values make its series.
import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { makeupQuery } from "@/api/seriesQueries";
import type { MetricMakeup } from "@/api/types";
import { Go } from "@/components/Go";
import { Meter } from "@/components/Meter";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { metricLabelPath, metricPath, senderOf, shareOf } from "@/lib/cardinality";
import { formatCount, formatShare, plural } from "@/lib/format";
import { Growth } from "./Growth";
import { Sender } from "./Sender";
import classes from "./Cardinality.module.css";

const PLAIN = `${table.table} ${table.plain}`;

export function MakeupDrawer({ metric, limit, onClose }: { metric: string; limit: number; onClose: () => void }) {
  return (
    <Drawer opened={metric !== ""} onClose={onClose} position="right" size={620} title={<span className="mono">{metric}</span>} closeButtonProps={{ "aria-label": "Close" }}>
      {metric !== "" && <Makeup metric={metric} limit={limit} />}
    </Drawer>
  );
}

function Makeup({ metric, limit }: { metric: string; limit: number }) {
  const query = useQuery(makeupQuery(metric));
  return (
    <div className={classes.makeup}>
      <QueryView query={query} skeleton={<SkeletonRows rows={6} height={32} />}>
        {(made) => (
          <>
            <p>
              {plural(made.active, "active series", "active series")}
              {limit > 0 && `, ${formatShare(made.active, limit)} of ${formatCount(limit)} that a metric may have`}.{" "}
              <Go to={metricPath(metric)} className="link">
                Explore
              </Go>
            </p>
            <Growth metric={metric} />
            {made.active === 0 ? <Empty isSmall title="Nobody sends it now">Its series are kept in the store until their time is over.</Empty> : <Parts made={made} />}
          </>
        )}
      </QueryView>
    </div>
  );
}

function Parts({ made }: { made: MetricMakeup }) {
  return (
    <>
      <Section title="Labels" aside="by different values">
        <table className={PLAIN}>
          <thead>
            <tr>
              <th style={{ width: "28%" }}>Label</th>
              <th data-align="right" className={classes.number}>Values</th>
              <th>Most frequent</th>
            </tr>
          </thead>
          <tbody>
            {made.labels.map((label) => (
              <tr key={label.name}>
                <td data-tip={label.name}>
                  <Go to={metricLabelPath(made.name, label.name)} className="link bare mono">
                    {label.name}
                  </Go>
                </td>
                <td data-align="right" className="tabular">{formatCount(label.values)}</td>
                <td className="dim" data-tip={label.most.map((one) => `${one.value}: ${formatCount(one.series)}`).join("\n")}>
                  {label.most.map((one) => `${one.value} (${formatCount(one.series)})`).join(", ")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="Sent by">
        <table className={PLAIN}>
          <thead>
            <tr>
              <th>Sender</th>
              <th data-align="right" className={classes.number}>Active</th>
              <th data-align="right" className={classes.share}>Of all</th>
            </tr>
          </thead>
          <tbody>
            {made.origins.map((one) => (
              <tr key={one.origin}>
                <td>
                  <Sender sender={senderOf(one.origin)} />
                </td>
                <td data-align="right" className="tabular">{formatCount(one.active)}</td>
                <td data-align="right" className={classes.share}>
                  <Meter share={shareOf(one.active, made.active)} text={formatShare(one.active, made.active)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
    </>
  );
}
