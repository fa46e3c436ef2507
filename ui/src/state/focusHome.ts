// The focus comes home: a dialog that was opened from a menu would give it back to the menu's entry, which is gone by then.
// Then whatever had it before the menu has it again. What dialogs give back by themselves stays theirs.
import { useEffect } from "react";

const FLOATING = "[role=dialog], [role=menu]";
/** By then most dialogs have faded and have given back the focus, if they could; a slow machine takes longer. */
const AFTER_MS = 300;
const AGAIN_MS = 50;
const PATIENCE_MS = 3000;
const ENDING: ReadonlySet<string> = new Set(["Escape", "Enter", " "]);

export function useFocusHome(): void {
  useEffect(() => {
    let home: HTMLElement | null = null;
    const note = ({ target }: FocusEvent): void => {
      if (target instanceof HTMLElement && !target.closest(FLOATING)) home = target;
    };
    const watch = ({ key }: KeyboardEvent): void => {
      if (!ENDING.has(key) || !document.activeElement?.closest(FLOATING)) return;
      const until = Date.now() + PATIENCE_MS;
      const give = (): void => {
        const isFading = document.querySelector(FLOATING) !== null;
        if (isFading && Date.now() < until) setTimeout(give, AGAIN_MS);
        if (!isFading && document.activeElement === document.body) home?.focus({ preventScroll: true });
      };
      setTimeout(give, AFTER_MS);
    };
    document.addEventListener("focusin", note);
    document.addEventListener("keydown", watch, { capture: true });
    return () => {
      document.removeEventListener("focusin", note);
      document.removeEventListener("keydown", watch, { capture: true });
    };
  }, []);
}
