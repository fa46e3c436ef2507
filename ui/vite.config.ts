// Builds the console into the Python package; `--mode mock` serves it against ui/mock instead of a Holdfast server.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mantineVariables } from "./mantine-variables.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const SERVER = process.env["HOLDFAST_URL"] ?? "http://127.0.0.1:4653";

export default defineConfig(async ({ mode }) => ({
  plugins: [react(), mantineVariables(here("./src/theme.ts")), ...(mode === "mock" ? [(await import("./mock/plugin.ts")).mockServer()] : [])],
  resolve: { alias: { "@": here("./src") } },
  server: { port: 5173, ...(mode === "mock" ? {} : { proxy: { "/api": SERVER, "/prometheus": SERVER, "/loki": SERVER, "/jaeger": SERVER } }) },
  build: {
    outDir: here("../src/holdfast/web/console"),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // data: URLs would need a wider content security policy
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler|react-router|cookie|set-cookie-parser)\// },
            { name: "query", test: /node_modules\/@tanstack\// },
            { name: "charts", test: /node_modules\/uplot\// },
            { name: "editor", test: /node_modules\/(@codemirror|@lezer|@prometheus-io|style-mod|w3c-keyname|crelt|@marijn|lru-cache)\// },
            { name: "graph", test: /node_modules\/(@xyflow|d3-[a-z]+|zustand|classcat|use-sync-external-store)\// },
          ],
        },
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    testTimeout: 30_000,
    // Node would take it as CommonJS, which brings a second CodeMirror.
    alias: { "@prometheus-io/codemirror-promql": "@prometheus-io/codemirror-promql/dist/esm/index.js" },
    server: { deps: { inline: [/codemirror-promql/] } },
  },
}));
