// Deploys that were recorded within the time of a chart and had been before it: told beside it, with the way to their moment.
import { Go } from "@/components/Go";
import { aroundPath } from "@/lib/around";
import { deployedAt } from "@/lib/deploys";
import type { ChartMark } from "@/lib/marks";
import { formatAbsolute } from "@/lib/time";
import { resolveRange } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";

const TOLD = 3;

export function DeploysBefore({ marks }: { marks: readonly ChartMark[] }) {
  const { range } = useTimeRange();
  const start = resolveRange(range, new Date()).start.getTime();
  const before = marks.flatMap(({ text, event }) => (event?.kind.startsWith("deploy.") && Date.parse(deployedAt(event)) < start ? [{ text, event }] : []));
  return before.slice(0, TOLD).map(({ text, event }) => (
    <Go key={event.seq} to={aroundPath({ service: event.service ?? "", at: deployedAt(event) })} className="link bare">
      {text} before this time, {formatAbsolute(new Date(deployedAt(event)))}
    </Go>
  ));
}
