// The frame around every page: navigation, top bar, live connection, palette, keys. Only signed-in people see it.
import { Drawer } from "@mantine/core";
import { useDisclosure, useLocalStorage } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useMemo } from "react";
import { Outlet, useLocation } from "react-router";
import { createPatcher } from "@/api/patches";
import { servicesQuery } from "@/api/queries";
import { Crash } from "../Crash";
import { setProblemCount } from "../Page";
import { SkeletonRows } from "../states";
import { useFocusHome } from "@/state/focusHome";
import { live, useLiveEvents } from "@/state/live";
import { useShortcuts } from "@/state/shortcuts";
import { CommandPalette } from "./CommandPalette";
import { KeyHelp } from "./KeyHelp";
import { Nav } from "./Nav";
import { Printed } from "./Printed";
import { StaleBar } from "./StaleBar";
import { TopBar } from "./TopBar";
import classes from "./Shell.module.css";

export function Shell() {
  const [isNarrow, setNarrow] = useLocalStorage({ key: "holdfast-nav-narrow", defaultValue: false, getInitialValueInEffect: false });
  const [isDrawerOpen, drawer] = useDisclosure(false);
  const [isPaletteOpen, palette] = useDisclosure(false);
  const [isHelpOpen, help] = useDisclosure(false);
  const { pathname } = useLocation();
  useLiveConnection();
  useProblemCount();
  useFocusHome();
  useShortcuts({ "?": help.toggle, "[": () => setNarrow((current) => !current) });
  useEffect(drawer.close, [pathname]);
  return (
    <div className={classes.shell} data-narrow={isNarrow || undefined}>
      <a href="#main" className={classes.skip} data-screen>
        Skip to content
      </a>
      <aside className={classes.nav} data-screen>
        <Nav isNarrow={isNarrow} onToggle={() => setNarrow(!isNarrow)} />
      </aside>
      <Drawer opened={isDrawerOpen} onClose={drawer.close} size={264} padding={0} withCloseButton={false} classNames={{ body: classes.drawer }} attributes={{ content: { "aria-label": "Navigation" } }}>
        <Nav isNarrow={false} />
      </Drawer>
      <div className={classes.column}>
        <TopBar onMenu={drawer.open} onHelp={help.open} onSearch={palette.open} />
        <Printed />
        <StaleBar />
        <main id="main" className={classes.main} tabIndex={-1}>
          <Crash key={pathname}>
            <Suspense fallback={<div className={classes.waiting}><SkeletonRows /></div>}>
              <Outlet />
            </Suspense>
          </Crash>
        </main>
      </div>
      <CommandPalette isOpen={isPaletteOpen} onOpen={palette.open} onClose={palette.close} onHelp={help.open} />
      <KeyHelp isOpen={isHelpOpen} onClose={help.close} />
    </div>
  );
}

function useLiveConnection(): void {
  const client = useQueryClient();
  const apply = useMemo(() => createPatcher(client), [client]);
  useLiveEvents(apply);
  useEffect(() => {
    const release = live.acquire();
    const forget = live.onResume(() => void client.invalidateQueries());
    return () => {
      forget();
      release();
    };
  }, [client]);
}

function useProblemCount(): void {
  const { data } = useQuery({ ...servicesQuery, refetchIntervalInBackground: true });
  const count = data?.filter((service) => service.health === "down").length ?? 0;
  useEffect(() => {
    setProblemCount(count);
    return () => setProblemCount(0);
  }, [count]);
}
