// The top line: where you are, the time you look at, search, whether the page is live, light or dark.
import { ActionIcon, Kbd, Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconKeyboard, IconMenu2, IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { Breadcrumbs, useHandle } from "./Breadcrumbs";
import { LiveMark } from "./LiveMark";
import { TimeRangePicker } from "./TimeRangePicker";
import classes from "./TopBar.module.css";

const SCHEMES = [
  { value: "auto", label: "As the system", icon: IconDeviceDesktop },
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
] as const;

export const MOD = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";

export function TopBar({ onMenu, onHelp, onSearch }: Record<"onMenu" | "onHelp" | "onSearch", () => void>) {
  const hasRange = useHandle()?.handle.hasRange ?? false;
  return (
    <header className={classes.bar} data-screen>
      <ActionIcon className={classes.burger} size={32} onClick={onMenu} aria-label="Open navigation">
        <IconMenu2 size={19} stroke={1.7} />
      </ActionIcon>
      <Breadcrumbs />
      <div className={classes.tools}>
        <UnstyledButton className={classes.search} onClick={onSearch} aria-keyshortcuts="Control+K Meta+K">
          <IconSearch size={15} aria-hidden />
          <span className={classes.searchText}>Search</span>
          <Kbd size="xs" className={classes.searchKey} aria-hidden>
            {MOD} K
          </Kbd>
        </UnstyledButton>
        {hasRange && <TimeRangePicker />}
        <LiveMark />
        <ActionIcon className={classes.wide} onClick={onHelp} aria-label="Keyboard shortcuts" data-tip="Keyboard shortcuts  ?">
          <IconKeyboard size={17} stroke={1.6} />
        </ActionIcon>
        <SchemeMenu />
      </div>
    </header>
  );
}

function SchemeMenu() {
  // Keeping transitions avoids the inline stylesheet by which Mantine would switch them off for a moment.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const current = SCHEMES.find((scheme) => scheme.value === colorScheme) ?? SCHEMES[0];
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon aria-label={`Appearance: ${current.label}`} data-tip="Appearance">
          <current.icon size={17} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Menu.Item key={value} leftSection={<Icon size={15} />} onClick={() => setColorScheme(value)} aria-current={value === colorScheme || undefined}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
