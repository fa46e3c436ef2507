// The focus comes home: a dialog that was opened from a menu would give it back to the menu's entry, which is gone by then.
// Then whatever had it before the menu has it again. What dialogs give back by themselves stays theirs.
import { useEffect } from "react";

const FLOATING = "[role=dialog], [role=menu]";
/** By then a dialog has faded and has given back the focus, if it could. */
const AFTER_MS = 300;
const ENDING: ReadonlySet<string> = new Set(["Escape", "Enter", " "]);

export function useFocusHome(): void {
  useEffect(() => {
    let home: HTMLElement | null = null;
    const note = ({ target }: FocusEvent): void => {
      if (target instanceof HTMLElement && !target.closest(FLOATING)) home = target;
    };
    const watch = ({ key }: KeyboardEvent): void => {
      if (!ENDING.has(key) || !document.activeElement?.closest(FLOATING)) return;
      setTimeout(() => {
        if (document.activeElement === document.body && !document.querySelector(FLOATING)) home?.focus({ preventScroll: true });
      }, AFTER_MS);
    };
    document.addEventListener("focusin", note);
    document.addEventListener("keydown", watch, { capture: true });
    return () => {
      document.removeEventListener("focusin", note);
      document.removeEventListener("keydown", watch, { capture: true });
    };
  }, []);
}
