// What a person may do with a check: run it now, pause it, resume it.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlayerPause, IconPlayerPlay, IconRun } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { post } from "@/api/client";
import type { CheckDetail, CheckResult } from "@/api/types";
import { problemOf } from "@/components/states";
import { StatusIcon } from "@/components/StatusMark";
import { formatDuration } from "@/lib/format";
import { VERDICT_WORD } from "@/lib/status";
import { useMay } from "@/state/session";
import { useKeys } from "@/state/shortcuts";

export function CheckActions({ check }: { check: CheckDetail }) {
  const client = useQueryClient();
  const mayRun = useMay("health.run");
  const mayPause = useMay("health.write");
  const path = `/checks/${encodeURIComponent(check.name)}`;
  const refresh = () => client.invalidateQueries({ queryKey: ["checks"] });
  const run = useMutation({
    mutationFn: () => post<CheckResult>(`${path}/run`),
    onSuccess: (result) => {
      notifications.show({
        title: `${check.name} is ${VERDICT_WORD[result.verdict].toLowerCase()}`,
        message: `${result.message} in ${formatDuration(result.duration_s)}`,
        icon: <StatusIcon verdict={result.verdict} size={20} />,
        color: "transparent",
      });
      return refresh();
    },
    onError: refused,
  });
  const pause = useMutation({ mutationFn: (verb: "pause" | "resume") => post(`${path}/${verb}`), onSuccess: refresh, onError: refused });
  const toggle = (): void => pause.mutate(check.paused ? "resume" : "pause");
  useKeys({ ...(mayRun ? { r: () => run.mutate() } : {}), ...(mayPause ? { p: toggle } : {}) });
  return (
    <>
      <Button variant="default" leftSection={check.paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />} onClick={toggle} loading={pause.isPending} disabled={!mayPause} data-tip={mayPause ? (check.paused ? "Resume  p" : "Pause  p") : "Needs the role operator"}>
        {check.paused ? "Resume" : "Pause"}
      </Button>
      <Button leftSection={<IconRun size={15} />} onClick={() => run.mutate()} loading={run.isPending} disabled={!mayRun} data-tip={mayRun ? "Run now  r" : "Needs the role responder"}>
        Run now
      </Button>
    </>
  );
}

function refused(error: unknown): void {
  const problem = problemOf(error);
  notifications.show({ title: problem.title, message: [problem.detail, problem.hint].filter(Boolean).join(" "), color: "gray" });
}
