// The Mantine side of the look: scales and component defaults. Colours of the console itself stand in styles/tokens.css.
import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** The one accent. Index 7 carries white text in light, index 4 stands on dark surfaces. */
const accent: MantineColorsTuple = [
  "#eef3ff", "#dce6fd", "#b9ccfa", "#96b3f8", "#7c9ff5", "#5b86ef", "#3f6fe4", "#2f5fd6", "#274fb4", "#203f8f",
];

const dark: MantineColorsTuple = [
  "#e6e9ef", "#b3bcc9", "#8d98a8", "#5c6675", "#323b48", "#252c37", "#191e26", "#13171d", "#0d1015", "#090b0f",
];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, dark },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "20px", lineHeight: "28px" }, h2: { fontSize: "15px", lineHeight: "22px" } } },
  defaultRadius: "sm",
  radius: { xs: "3px", sm: "6px", md: "8px", lg: "12px", xl: "16px" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Locking the scroll would add an inline stylesheet, which the page's policy refuses.
    Modal: { defaultProps: { lockScroll: false, centered: true, overlayProps: { backgroundOpacity: 0.35 }, transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { lockScroll: false, transitionProps: { duration: 150 } } },
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs", allowDeselect: false } },
    Badge: { defaultProps: { tt: "none", fw: 500 } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Menu: { defaultProps: { shadow: "md", transitionProps: { duration: 80 } } },
  },
});
