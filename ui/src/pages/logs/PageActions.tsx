// What can be done with all that is shown: follow it, export it.
import { Button, Menu } from "@mantine/core";
import { IconDownload, IconPlayerStop, IconBroadcast } from "@tabler/icons-react";
import { plural } from "@/lib/format";
import { type ExportKind, exportLines, type LogLine } from "@/lib/logs";
import type { LogView } from "@/lib/logview";
import { saveFile } from "@/lib/saveFile";

interface PageActionsProps {
  view: LogView;
  lines: readonly LogLine[];
  canLive: boolean;
  isLive: boolean;
  onChange: (part: Partial<LogView>) => void;
}

export function PageActions({ view, lines, canLive, isLive, onChange }: PageActionsProps) {
  return (
    <>
      <Button
        variant={isLive ? "light" : "default"}
        aria-pressed={isLive}
        disabled={!canLive}
        leftSection={isLive ? <IconPlayerStop size={14} /> : <IconBroadcast size={14} />}
        onClick={() => onChange({ isLive: !view.isLive })}
        data-tip={isLive ? "Stop following  l" : canLive ? "Lines stand here as soon as they are stored  l" : "Follows a query for lines, newest first, over a range that ends now"}
      >
        {isLive ? "Following" : "Follow"}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={14} />} disabled={lines.length === 0}>
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{plural(lines.length, "line")} that are loaded</Menu.Label>
          <Menu.Item onClick={() => save(lines, "text")}>Text</Menu.Item>
          <Menu.Item onClick={() => save(lines, "json")}>JSON</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function save(lines: readonly LogLine[], kind: ExportKind): void {
  saveFile(`logs.${kind === "json" ? "json" : "txt"}`, kind === "json" ? "application/json" : "text/plain", exportLines(lines, kind));
}
