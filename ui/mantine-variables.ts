// Writes Mantine's theme variables as a static stylesheet, so that the console runs under `style-src 'self'`.
// MantineProvider would otherwise add an inline <style> at run time. Import "virtual:mantine-variables.css" to get it.
import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from "@mantine/core";
import type { Plugin } from "vite";
import { theme } from "./src/theme.ts";

const ID = "virtual:mantine-variables.css";

export function mantineVariables(themeFile: string): Plugin {
  return {
    name: "holdfast-mantine-variables",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      this.addWatchFile(themeFile);
      return convertCssVariables(defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme)), ":root");
    },
  };
}
