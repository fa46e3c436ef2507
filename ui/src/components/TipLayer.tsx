// One tooltip for the whole console. Anything with `data-tip` gets it on hover and on keyboard focus; dense tables would
// pay dearly for a component per cell. Essential facts never live in a tip alone.
import { useEffect, useRef } from "react";
import classes from "./TipLayer.module.css";

const MARGIN = 8;

export function TipLayer() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tip = ref.current;
    return tip ? attach(tip) : undefined;
  }, []);
  return <div ref={ref} className={classes.tip} role="presentation" hidden />;
}

function attach(tip: HTMLDivElement): () => void {
  let owner: HTMLElement | null = null;
  const hide = (): void => {
    owner = null;
    tip.hidden = true;
  };
  const show = (target: EventTarget | null, pointerX: number | null): void => {
    const element = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
    const text = element?.dataset["tip"];
    if (!element || !text) return hide();
    if (owner !== element || tip.textContent !== text) tip.textContent = text;
    owner = element;
    tip.hidden = false;
    place(tip, element.getBoundingClientRect(), "tipFollow" in element.dataset ? pointerX : null);
  };
  const onMove = (event: PointerEvent): void => show(event.target, event.clientX);
  const onFocus = (event: FocusEvent): void => {
    if (event.target instanceof Element && event.target.matches(":focus-visible")) show(event.target, null);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") hide();
  };
  document.addEventListener("pointermove", onMove, { passive: true });
  document.addEventListener("pointerdown", hide, { passive: true });
  document.addEventListener("focusin", onFocus);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", onKey);
  document.addEventListener("scroll", hide, { passive: true, capture: true });
  return () => {
    document.removeEventListener("pointermove", onMove);
    document.removeEventListener("pointerdown", hide);
    document.removeEventListener("focusin", onFocus);
    document.removeEventListener("focusout", hide);
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("scroll", hide, { capture: true });
  };
}

function place(tip: HTMLElement, around: DOMRect, pointerX: number | null): void {
  const { width, height } = tip.getBoundingClientRect();
  const middle = pointerX ?? around.left + around.width / 2;
  const left = Math.max(MARGIN, Math.min(middle - width / 2, window.innerWidth - width - MARGIN));
  const above = around.top - height - 6;
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(above > MARGIN ? above : around.bottom + 6)}px)`;
}
