// Dragging a box over a field; places are shares of its width and height.
import { type PointerEvent, useRef, useState } from "react";

const LEAST_DRAG = 0.008;

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Point {
  x: number;
  y: number;
}

export function useBox(onChoose: (box: Box) => void, onPress: (at: Point) => void) {
  const begun = useRef<Point | null>(null);
  const [box, setBox] = useState<Box | null>(null);
  const place = (event: PointerEvent<HTMLElement>): Point => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const share = (value: number) => Math.max(0, Math.min(1, value));
    return { x: share((event.clientX - left) / width), y: share((event.clientY - top) / height) };
  };
  const end = (): void => {
    begun.current = null;
    setBox(null);
  };
  return {
    box,
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button === 0) begun.current = place(event);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = begun.current;
      if (!from) return;
      const to = place(event);
      if (!box && Math.hypot(to.x - from.x, to.y - from.y) < LEAST_DRAG) return;
      if (!box) event.currentTarget.setPointerCapture(event.pointerId);
      setBox({ left: Math.min(from.x, to.x), right: Math.max(from.x, to.x), top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y) });
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      if (box) onChoose(box);
      else if (begun.current) onPress(place(event));
      end();
    },
    onPointerCancel: end,
  };
}
