// Renders the real routes against the mock API, without a browser and without a network.
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, vi } from "vitest";
import { createClient } from "@/api/cache";
import { routes } from "@/routes";
import { theme } from "@/theme";
import { MockApi } from "../mock/handler.ts";
import type { Mode } from "../mock/world.ts";

const ORIGIN = "http://console.test";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Opens a path of the console in front of a mock in the given mode. */
export function open(path: string, mode: Mode) {
  const api = new MockApi(mode);
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => api.handle(new Request(ORIGIN + url, init)));
  const client = createClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  const view = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...view, api, router, client };
}
