// Queries that were run before in this browser.
import { Button, Menu } from "@mantine/core";
import { IconHistory, IconTrash } from "@tabler/icons-react";
import { When } from "@/components/When";
import { useQueryHistory } from "@/state/metricsHistory";
import classes from "./Explore.module.css";

const SHOWN = 20;

export function HistoryMenu({ onChoose }: { onChoose: (expr: string) => void }) {
  const { past, forget } = useQueryHistory();
  return (
    <Menu position="bottom-end" width={460}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconHistory size={14} />}>
          History
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.history}>
        {past.length === 0 && <Menu.Label>Nothing was run in this browser yet</Menu.Label>}
        {past.slice(0, SHOWN).map(({ expr, at }) => (
          <Menu.Item key={expr} onClick={() => onChoose(expr)} rightSection={<span className="faint small"><When at={at} /></span>}>
            <span className={`mono truncate ${classes.past}`}>{expr}</span>
          </Menu.Item>
        ))}
        {past.length > 0 && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconTrash size={14} />} onClick={forget}>
              Forget them
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
