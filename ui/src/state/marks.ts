// Events as marks on charts: what changed while the numbers moved.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { marksQuery } from "@/api/markQueries";
import { deployedAt } from "@/lib/deploys";
import { describeEvent } from "@/lib/events";
import type { ChartMark } from "@/lib/marks";
import { isVerdict } from "@/lib/status";
import { useMay } from "./session";
import { useTimeRange } from "./timerange";

const NONE: readonly ChartMark[] = [];

export function useMarks(isWanted: boolean): readonly ChartMark[] {
  const { range } = useTimeRange();
  const mayRead = useMay("events.read");
  const { data } = useQuery({ ...marksQuery(range), enabled: isWanted && mayRead });
  return useMemo(() => {
    if (!isWanted || !data) return NONE;
    return data.map((event): ChartMark => {
      const { subject, text } = describeEvent(event);
      const to = event.data["to"];
      return { atS: Date.parse(event.kind.startsWith("deploy.") ? deployedAt(event) : event.at) / 1000, text: `${subject} ${text}`, verdict: isVerdict(to) ? to : null, event };
    });
  }, [isWanted, data]);
}
