// The chosen window as one band: what share of each slice the check was up, degraded, down or unknown.
import { useQuery } from "@tanstack/react-query";
import type { PointerEvent } from "react";
import { uptimeQuery } from "@/api/queries";
import type { Uptime, UptimeBucket, Verdict } from "@/api/types";
import { Section } from "@/components/Page";
import { QueryView, SkeletonBlock } from "@/components/states";
import { formatSpan, formatUptime } from "@/lib/format";
import { VERDICT_WORD, VERDICTS } from "@/lib/status";
import { coverageText } from "@/lib/uptime";
import { formatAbsolute, formatMoment } from "@/lib/time";
import { spanSeconds } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";
import classes from "./UptimeTimeline.module.css";

const BUCKETS = 90;

export function UptimeTimeline({ name }: { name: string }) {
  const { range, setRange } = useTimeRange();
  const query = useQuery(uptimeQuery(name, range, BUCKETS));
  const span = spanSeconds(range);
  const note = query.data && `${formatUptime(query.data.ratio)} up, ${coverageText({ ratio: query.data.ratio, coverage: coverageUntilNow(query.data) })}`;
  return (
    <Section title="Uptime in this window" aside={note}>
      <QueryView query={query} skeleton={<SkeletonBlock height={46} />}>
        {({ buckets }) => (
          <>
            <Band buckets={buckets} onZoom={(from, to) => setRange({ kind: "fixed", from, to })} />
            <div className={classes.scale}>
              <span>{buckets[0] ? formatMoment(new Date(buckets[0].at), span) : ""}</span>
              <span>{range.kind === "preset" ? "now" : formatMoment(range.to, span)}</span>
            </div>
          </>
        )}
      </QueryView>
    </Section>
  );
}

function Band({ buckets, onZoom }: { buckets: readonly UptimeBucket[]; onZoom: (from: Date, to: Date) => void }) {
  const bucketAt = (event: { clientX: number; currentTarget: Element }): UptimeBucket | undefined => {
    const box = event.currentTarget.getBoundingClientRect();
    return buckets[Math.floor(((event.clientX - box.left) / box.width) * buckets.length)];
  };
  const onPointerMove = (event: PointerEvent<SVGSVGElement>): void => {
    const bucket = bucketAt(event);
    event.currentTarget.dataset["tip"] = bucket ? describe(bucket) : "";
  };
  const onDoubleClick = (event: React.MouseEvent<SVGSVGElement>): void => {
    const bucket = bucketAt(event);
    const width = Date.parse(buckets[1]?.at ?? "") - Date.parse(buckets[0]?.at ?? "");
    if (bucket && width > 0) onZoom(new Date(Date.parse(bucket.at) - 2 * width), new Date(Date.parse(bucket.at) + 3 * width));
  };
  return (
    <svg className={classes.band} viewBox={`0 0 ${buckets.length * 10} 28`} preserveAspectRatio="none" role="img" aria-label={summarise(buckets)} data-tip="" data-tip-follow="" onPointerMove={onPointerMove} onDoubleClick={onDoubleClick}>
      {buckets.map((bucket, index) => (
        <Slice key={bucket.at} bucket={bucket} x={index * 10} />
      ))}
    </svg>
  );
}

function Slice({ bucket, x }: { bucket: UptimeBucket; x: number }) {
  const total = seen(bucket);
  if (total === 0) return <rect className={classes.none} x={x} y={12} width={8} height={4} />;
  let y = 0;
  return VERDICTS.map((verdict) => {
    const share = secondsOf(bucket, verdict) / total;
    if (share === 0) return null;
    // A moment of trouble in a long slice must still be seen.
    const height = Math.min(28 - y, verdict === "up" ? 28 - y : Math.max(5, share * 28));
    const rect = <rect key={verdict} className={classes[verdict]} x={x} y={y} width={8} height={height} />;
    y += height;
    return rect;
  });
}

function secondsOf(bucket: UptimeBucket, verdict: Verdict): number {
  return bucket[`${verdict}_s`];
}

function seen(bucket: UptimeBucket): number {
  return bucket.up_s + bucket.degraded_s + bucket.down_s + bucket.unknown_s;
}

/** The last slice of a window that follows the clock reaches into the future, which nobody can have observed. */
function coverageUntilNow({ coverage, buckets }: Uptime): number {
  const [first, second] = [buckets[0], buckets[1]].map((bucket) => Date.parse(bucket?.at ?? ""));
  if (first === undefined || second === undefined) return coverage;
  const whole = (second - first) * buckets.length;
  const past = Math.min(whole, Date.now() - first);
  return past > 0 ? Math.min(1, (coverage * whole) / past) : coverage;
}

function describe(bucket: UptimeBucket): string {
  const lines = VERDICTS.filter((verdict) => secondsOf(bucket, verdict) > 0).map((verdict) => `${VERDICT_WORD[verdict]} ${formatSpan(secondsOf(bucket, verdict))}`);
  return [formatAbsolute(new Date(bucket.at)), ...(lines.length > 0 ? lines : ["Not observed"])].join("\n");
}

function summarise(buckets: readonly UptimeBucket[]): string {
  const total = (verdict: Verdict) => buckets.reduce((sum, bucket) => sum + secondsOf(bucket, verdict), 0);
  return `Uptime over the window: ${VERDICTS.map((verdict) => `${VERDICT_WORD[verdict].toLowerCase()} ${formatSpan(total(verdict))}`).join(", ")}`;
}
