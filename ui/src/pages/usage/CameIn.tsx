// What came in: bars by hour for each signal, what was left out with what to do, and the services that sent it.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Intake, IntakeOfService } from "@/api/types";
import { Notice } from "@/components/Notice";
import { Section } from "@/components/Page";
import table from "@/components/table.module.css";
import { formatBytes, formatCount, formatNumber, formatSpan } from "@/lib/format";
import { byReason, NOT_TOLD as UNKNOWN, type ReasonSum, signalsOf } from "@/lib/usage";
import { SignalBars } from "./SignalBars";
import classes from "./CameIn.module.css";

const FIRST = 10;
const LATE_S = 60; // counts are written every 15 s
const ONE: Record<string, string> = { logs: "record", metrics: "sample", traces: "span" };

export function CameIn({ intake }: { intake: Intake }) {
  const signals = signalsOf(intake);
  const reasons = byReason(intake.drops);
  return (
    <>
      {intake.behind_s > LATE_S && (
        <Notice title="The store does not take counts just now">What came in during the last {formatSpan(intake.behind_s)} is counted, and shown once the store takes it.</Notice>
      )}
      {signals.length > 0 && (
        <Section title="Came in" aside="by the time of arrival; bytes as they came, before packing">
          <div className={classes.signals}>
            {signals.map((signal) => (
              <SignalBars key={signal} intake={intake} signal={signal} />
            ))}
          </div>
          <div className={classes.legend}>
            <span data-kind="stored">stored</span>
            <span data-kind="dropped">left out</span>
          </div>
        </Section>
      )}
      <Section title="Left out" aside={reasons.length > 0 ? "why, and what to do about it" : undefined}>
        {reasons.length > 0 ? (
          <ul className={classes.reasons} aria-label="Left out">
            {reasons.map((reason) => (
              <Reason key={`${reason.first.signal} ${reason.first.reason}`} reason={reason} />
            ))}
          </ul>
        ) : (
          <p className="dim">Nothing was left out in this time: no limit, sampler or door refused anything.</p>
        )}
      </Section>
      {intake.services.length > 0 && <Senders services={intake.services} total={intake.services_total} />}
    </>
  );
}

function Reason({ reason }: { reason: ReasonSum }) {
  const { first, records, requests, services } = reason;
  const counted = records > 0 ? records : requests;
  const shown = services.slice(0, 3).join(", ");
  return (
    <li className={classes.reason}>
      <div className={classes.count}>
        <span className="tabular">{formatCount(counted)}</span>
        <span className="faint">{records > 0 ? ONE[first.signal] ?? "record" : "request"}{counted === 1 ? "" : "s"}</span>
      </div>
      <div className={classes.why}>
        <div>
          <span className={classes.name}>{first.reason.replaceAll("_", " ")}</span> <span className="faint">{first.signal}</span>
          {shown && <span className="dim"> · {shown}{services.length > 3 ? ` and ${services.length - 3} more` : ""}</span>}
          {first.comes_again && <span className="dim"> · to be sent again</span>}
        </div>
        <div className="dim">{withCode(first.meaning)}</div>
        <div className="dim">
          {withCode(first.fix)}
          {first.settings.map((setting) => (
            <code key={setting} className={classes.setting}>{setting}</code>
          ))}
        </div>
      </div>
    </li>
  );
}

function Senders({ services, total }: { services: readonly IntakeOfService[]; total: number }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? services : services.slice(0, FIRST);
  const hasTeams = services.some((each) => each.team);
  return (
    <Section title="Services that sent it" aside={total > services.length ? `the largest ${services.length} of ${formatCount(total)}` : undefined}>
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Services that sent it">
        <table className={`${table.table} ${table.plain} ${classes.senders}`}>
          <thead>
            <tr>
              <th>Service</th>
              <th className={classes.signal}>Signal</th>
              <th data-align="right" className={classes.number}>Stored</th>
              <th data-align="right" className={`${classes.number} ${classes.bytes}`}>As it came</th>
              <th data-align="right" className={classes.number}>Left out</th>
              {hasTeams && <th className={classes.team}>Team</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={`${each.service} ${each.signal}`}>
                <td data-tip={each.service || UNKNOWN}>{each.service || <span className="faint">{UNKNOWN}</span>}</td>
                <td className="dim">{each.signal}</td>
                <td data-align="right" className="tabular" data-tip={formatCount(each.stored.records)}>{formatNumber(each.stored.records)}</td>
                <td data-align="right" className={`tabular ${classes.bytes}`}>{formatBytes(each.stored.bytes)}</td>
                <td data-align="right" className="tabular dim">{leftOut(each)}</td>
                {hasTeams && <td className={`dim ${classes.team}`}>{each.team}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < services.length && (
        <Button variant="default" size="compact-xs" className={classes.more} onClick={() => setWhole(true)}>
          Show all {formatCount(services.length)}
        </Button>
      )}
    </Section>
  );
}

function leftOut({ dropped }: IntakeOfService): string {
  if (dropped.records > 0) return formatNumber(dropped.records);
  return dropped.requests > 0 ? `${formatNumber(dropped.requests)} req.` : "0";
}

/** Text in which commands and names stand between backticks. */
function withCode(text: string): ReactNode[] {
  return text.split("`").map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}
