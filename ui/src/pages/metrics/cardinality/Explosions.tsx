// Which label exploded: metrics whose new series are refused, by whom they come, and the label that differs the most.
import { IconChartLine } from "@tabler/icons-react";
import type { Cardinality, Explosion } from "@/api/types";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import table from "@/components/table.module.css";
import { explodedText, LIMIT_SETTING, LIMIT_WORD, metricLabelPath, metricPath, senderOf } from "@/lib/cardinality";
import { formatCount, NOTHING } from "@/lib/format";
import { Sender } from "./Sender";
import classes from "./Cardinality.module.css";

export function Explosions({ report }: { report: Cardinality }) {
  return (
    <Section title="Which label exploded" aside="values are at least so many: one in sixteen refused series is looked into">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Which label exploded">
        <table className={`${table.table} ${table.plain} ${classes.explosions}`}>
          <thead>
            <tr>
              <th>Metric</th>
              <th>Label that differs the most</th>
              <th>Such as</th>
              <th>Sent by</th>
              <th>Limit</th>
              <th data-align="right">Refused</th>
              <th className={classes.go} />
            </tr>
          </thead>
          <tbody>
            {report.explosions.map((one) => (
              <Row key={`${one.metric}/${one.origin}`} one={one} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Row({ one }: { one: Explosion }) {
  return (
    <tr>
      <td className="mono" data-tip={one.metric}>{one.metric}</td>
      <td data-tip={explodedText(one)}>
        <strong>{explodedText(one)}</strong>
      </td>
      <td className="mono dim" data-tip={one.example}>{one.example || NOTHING}</td>
      <td>
        <Sender sender={senderOf(one.origin)} />
      </td>
      <td className="dim" data-tip={LIMIT_SETTING[one.reason]}>{LIMIT_WORD[one.reason] ?? one.reason}</td>
      <td data-align="right" className="tabular">{formatCount(one.refused)}</td>
      <td className={classes.go}>
        <Go to={one.label ? metricLabelPath(one.metric, one.label) : metricPath(one.metric)} className={classes.explore} aria-label={`Explore ${one.metric}`} data-tip="Explore what came in">
          <IconChartLine size={14} />
        </Go>
      </td>
    </tr>
  );
}
