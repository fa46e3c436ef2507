// Runs before the first paint so that a dark console never flashes white. The console itself takes over afterwards.
(function () {
  var wanted = "auto";
  try {
    wanted = localStorage.getItem("mantine-color-scheme-value") || "auto";
  } catch (_) {
    // Storage may be refused (private windows); the system's preference decides.
  }
  var dark = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
