// What a person may do about a run, as far as its state and their permissions allow; each asks before it acts.
import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconGavel, IconPlayerStop, IconRotateClockwise2, IconSend, IconArrowForwardUp } from "@tabler/icons-react";
import type { RunDetail } from "@/api/types";
import { isOver } from "@/lib/runs";
import { useMay } from "@/state/session";
import { useKeys } from "@/state/shortcuts";
import { useUrlFilter } from "@/state/timerange";
import { CancelDialog, ReplayDialog, RetryDialog } from "./RunDialogs";
import { SignalDialog } from "./SignalDialog";
import { StrandedDialog } from "./StrandedDialog";

const RESPONDER = "Needs the role responder";
const OPERATOR = "Needs the role operator";

export function RunActions({ run }: { run: RunDetail }) {
  const [dialog, setDialog] = useUrlFilter("do");
  const maySignal = useMay("runs.signal");
  const mayManage = useMay("runs.manage");
  const close = (): void => setDialog("");
  const waits = run.waits.filter((wait) => wait.kind === "signal");
  const canCancel = !isOver(run.state) && run.state !== "cancelling" && run.state !== "stranded";
  const isMenuNeeded = isOver(run.state) || canCancel;
  useKeys(maySignal && waits[0] ? { a: () => setDialog(`signal:${waits[0]?.name ?? ""}`) } : {});
  const [kind, ...rest] = dialog.split(":");
  const signal = kind === "signal" ? rest.join(":") : null;
  return (
    <>
      {canCancel && (
        <Button variant="default" leftSection={<IconPlayerStop size={14} />} onClick={() => setDialog("cancel")} disabled={!maySignal} data-tip={maySignal ? undefined : RESPONDER}>
          Cancel
        </Button>
      )}
      {(run.state === "failed" || run.state === "cancelled") && (
        <Button variant={run.state === "failed" ? "filled" : "default"} leftSection={<IconRotateClockwise2 size={14} />} onClick={() => setDialog("retry")} disabled={!maySignal} data-tip={maySignal ? undefined : RESPONDER}>
          Retry
        </Button>
      )}
      {run.state === "stranded" && (
        <Button leftSection={<IconGavel size={14} />} onClick={() => setDialog("resolve")} disabled={!mayManage} data-tip={mayManage ? undefined : OPERATOR}>
          Resolve
        </Button>
      )}
      {isMenuNeeded && (
        <Menu position="bottom-end" width={220}>
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronDown size={13} />}>
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconArrowForwardUp size={15} />} onClick={() => setDialog("replay")} disabled={!mayManage || !isOver(run.state)}>
              Replay from a step
            </Menu.Item>
            <Menu.Item leftSection={<IconSend size={15} />} onClick={() => setDialog(`signal:${waits[0]?.name ?? ""}`)} disabled={!maySignal || isOver(run.state)}>
              Send a signal
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <SignalDialog key={`signal/${signal ?? ""}`} run={run} name={signal} onClose={close} />
      <CancelDialog run={run} isOpen={kind === "cancel"} onClose={close} />
      <RetryDialog run={run} isOpen={kind === "retry"} onClose={close} />
      <ReplayDialog run={run} isOpen={kind === "replay"} onClose={close} />
      <StrandedDialog run={run} isOpen={kind === "resolve"} onClose={close} />
    </>
  );
}
