// Wires the console together: theme, server state, routes.
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { createBrowserRouter, RouterProvider } from "react-router";
import { createClient } from "./api/cache";
import { TipLayer } from "./components/TipLayer";
import { routes } from "./routes";
import { theme } from "./theme";

const client = createClient();
const router = createBrowserRouter(routes);

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <Notifications position="bottom-right" limit={3} />
        <TipLayer />
      </QueryClientProvider>
    </MantineProvider>
  );
}
