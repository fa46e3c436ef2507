// Whether the page is being printed. Paper is white and as wide as it is: the page takes on both before the browser looks
// at it, so that charts, which are drawn for a width and a colour scheme, are drawn for paper.
import { useSyncExternalStore } from "react";

const SCHEME = "data-mantine-color-scheme";

let isPrinting = false;
let scheme: string | null = null;
const listeners = new Set<() => void>();

function turn(isOn: boolean): void {
  if (isPrinting === isOn) return;
  isPrinting = isOn;
  const { documentElement: root } = document;
  if (isOn) scheme = root.getAttribute(SCHEME);
  root.toggleAttribute("data-print", isOn);
  if (scheme !== null) root.setAttribute(SCHEME, isOn ? "light" : scheme);
  for (const listener of listeners) listener();
}

window.addEventListener("beforeprint", () => turn(true));
window.addEventListener("afterprint", () => turn(false));

export function usePrinting(): boolean {
  return useSyncExternalStore(listen, () => isPrinting);
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
