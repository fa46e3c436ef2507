// Deploys over a picture that draws no marks itself, such as a heat map: it lies over the picture and takes its width.
import { useElementSize } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { type ChartMark, clusterMarks } from "@/lib/marks";
import { DeployMarks } from "./DeployMarks";
import classes from "./DeployMarks.module.css";

interface DeployLinesProps {
  marks: readonly ChartMark[];
  fromS: number;
  toS: number;
}

export function DeployLines({ marks, fromS, toS }: DeployLinesProps) {
  const { ref, width, height } = useElementSize();
  const [opened, setOpened] = useState<number | null>(null);
  const clusters = useMemo(() => {
    const deploys = marks.filter(({ event }) => event?.kind.startsWith("deploy."));
    return width > 0 && toS > fromS ? clusterMarks(deploys, (atS) => ((atS - fromS) / (toS - fromS)) * width, width) : [];
  }, [marks, fromS, toS, width]);
  return (
    <div ref={ref} className={classes.over}>
      <DeployMarks clusters={clusters} opened={opened} onOpen={setOpened} lineHeight={height} />
    </div>
  );
}
