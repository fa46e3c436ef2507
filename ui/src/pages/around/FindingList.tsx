// The findings by rank: when, what, the sentence, the curve, and the ways on.
import { IconArrowDownRight, IconArrowUpRight, IconCircleOff, IconCirclePlus, IconPointFilled } from "@tabler/icons-react";
import type { Around, Finding } from "@/api/types";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { Go } from "@/components/Go";
import { Sparkline } from "@/components/Sparkline";
import table from "@/components/table.module.css";
import { evidencePath, findingName, LANES, sureWord } from "@/lib/around";
import { formatAbsolute, formatClock } from "@/lib/time";
import classes from "./Around.module.css";

const ICONS = { up: IconArrowUpRight, down: IconArrowDownRight, new: IconCirclePlus, gone: IconCircleOff, happened: IconPointFilled } as const;
const WORDS = { up: "rose", down: "fell", new: "new", gone: "gone", happened: "happened" } as const;
const OPENS = { promql: "open in Metrics", logql: "open in Logs", event: "open in Events" } as const;

export function FindingList({ answer, chosen, onChoose }: { answer: Around; chosen: string; onChoose: (id: string) => void }) {
  return (
    <div className={table.scroll}>
      <table className={`${table.table} ${classes.list}`}>
        <thead>
          <tr>
            <th scope="col" className={classes.when}>Moved at</th>
            <th scope="col" className={classes.laneName}>Lane</th>
            <th scope="col">What</th>
            <th scope="col" className={classes.curve}>Before and then</th>
            <th scope="col" className={classes.sure}>Sure</th>
            <th scope="col" className={classes.ways}>Evidence</th>
          </tr>
        </thead>
        <tbody>
          {answer.findings.map((finding) => (
            <Row key={finding.id} finding={finding} answer={answer} isChosen={finding.id === chosen} onChoose={() => onChoose(finding.id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ finding, answer, isChosen, onChoose }: { finding: Finding; answer: Around; isChosen: boolean; onChoose: () => void }) {
  const Icon = ICONS[finding.direction];
  const label = LANES.find(({ lane }) => lane === finding.lane)?.label ?? finding.lane;
  return (
    <tr id={`finding-${finding.id}`} data-chosen={isChosen || undefined} onClick={onChoose}>
      <td className={`${classes.when} tabular`} data-tip={formatAbsolute(new Date(finding.moved_at))}>{formatClock(new Date(finding.moved_at))}</td>
      <td className={`${classes.laneName} dim`}>{label}</td>
      <td className={classes.reason}>
        <Icon size={14} aria-label={WORDS[finding.direction]} />
        <span className={finding.is_usual ? "faint" : undefined}>
          {finding.reason}
          {finding.others > 0 && ` And ${finding.others} more series.`}
        </span>
      </td>
      <td className={classes.curve}>{finding.curve.length > 0 && <Sparkline values={finding.curve} width={120} label={`${findingName(finding)}: the time before and the window`} />}</td>
      <td className={`${classes.sure} dim`} data-tip={`${(finding.sure * 100).toFixed(0)}% that this is no chance`}>{sureWord(finding.sure)}</td>
      <td className={classes.ways}>
        <Way finding={finding} />
        <AddToInvestigation cell={{ kind: "finding", content: contentOf(finding, answer) }} isIcon what="finding" />
      </td>
    </tr>
  );
}

/** The window of the evidence stands in the link itself. */
function Way({ finding }: { finding: Finding }) {
  return (
    <Go to={evidencePath(finding)} className="link" aria-label={`${OPENS[finding.evidence.kind]}: ${findingName(finding)}`}>
      {OPENS[finding.evidence.kind]}
    </Go>
  );
}

function contentOf(finding: Finding, answer: Around) {
  const { evidence } = finding;
  const isQuery = evidence.kind !== "event";
  return {
    title: isQuery ? finding.title.slice(0, 500) : "", // an event is told by its reason alone
    queries: isQuery ? [evidence.query] : [],
    start: isQuery ? evidence.start : null,
    end: isQuery ? evidence.end : null,
    finding: {
      service: finding.service || answer.service,
      lane: finding.lane,
      reason: finding.reason,
      moved_at: finding.moved_at,
      sure: finding.sure,
      language: evidence.kind,
      curve: [...finding.curve],
    },
  };
}
