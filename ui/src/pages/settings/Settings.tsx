// Tokens, people, and what this server is. The tab stands in the path.
import { Tabs } from "@mantine/core";
import { useNavigate, useParams } from "react-router";
import { Page } from "@/components/Page";
import { useSession } from "@/state/session";
import { useCarry } from "@/state/timerange";
import { About } from "./About";
import { Maintenance } from "./Maintenance";
import { Tokens } from "./Tokens";
import { Users } from "./Users";
import classes from "./Settings.module.css";

const TABS = [
  { value: "tokens", label: "Tokens", needs: "auth.self", Panel: Tokens },
  { value: "users", label: "Users", needs: "auth.read", Panel: Users },
  { value: "maintenance", label: "Maintenance", needs: "health.read", Panel: Maintenance },
  { value: "about", label: "About", needs: "server.read", Panel: About },
] as const;

export function Settings() {
  const { tab } = useParams();
  const navigate = useNavigate();
  const carry = useCarry();
  const { permissions } = useSession();
  const tabs = TABS.filter((one) => permissions.includes(one.needs));
  const open = tabs.find((one) => one.value === tab) ?? tabs[0];
  if (!open) return null;
  return (
    <Page title="Settings" name={`${open.label}, Settings`}>
      <Tabs className={classes.tabs} value={open.value} onChange={(value) => void navigate(carry(`/settings/${value ?? "tokens"}`), { replace: true })} keepMounted={false}>
        <Tabs.List>
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, Panel }) => (
          <Tabs.Panel key={value} value={value} className={classes.panel}>
            <Panel />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
