// Starts the console.
import "@/styles/mantine.css";
import "virtual:mantine-variables.css";
import "@/styles/tokens.css";
import "@/styles/elements.css";
import "@/styles/print.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
