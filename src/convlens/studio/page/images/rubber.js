/* Rubber band: the mouse draws a rectangle, and the images that it touches are selected. */

import { useRef, useState } from "preact/hooks";
import { list } from "./list.js";
import { touched } from "./layout.js";
import { selection, setSelected } from "./selection.js";

const START = 6; // pixels of movement that make a click a rubber band
const EDGE = 32; // pixels from the edge, within which the grid scrolls
const SPEED = 0.4; // of the way past that edge, in each frame

/* Return the handlers of the mouse and the rectangle that is drawn, or null.

   content: the element that scrolls within `scroller`; layout: that of the cells. */
export function useRubber(scroller, content, layout) {
  const [shown, setShown] = useState(null);
  const drag = useRef(null);

  const placeIn = (event) => {
    const box = content.current.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const onPointerDown = (event) => {
    if (event.button || event.pointerType === "touch") return;
    const keeps = event.ctrlKey || event.metaKey || event.shiftKey;
    const before = keeps ? [...selection.get().ids] : [];
    drag.current = { start: placeIn(event), event, before, moved: false, timer: 0 };
  };

  const draw = () => {
    const { start, event, before } = drag.current;
    const now = placeIn(event);
    const box = {
      left: Math.min(start.x, now.x),
      right: Math.max(start.x, now.x),
      top: Math.min(start.y, now.y),
      bottom: Math.max(start.y, now.y),
    };
    setShown(box);
    const { rows, total } = list.get();
    const ids = touched(layout, box, total).map((index) => rows[index]?.id);
    setSelected([...before, ...ids.filter(Boolean)]);
  };

  const tick = () => {
    if (!drag.current) return;
    const box = scroller.current.getBoundingClientRect();
    const { clientY } = drag.current.event;
    const above = Math.min(0, clientY - box.top - EDGE);
    const below = Math.max(0, clientY - box.bottom + EDGE);
    if (above || below) {
      scroller.current.scrollTop += SPEED * (above + below);
      draw();
    }
    drag.current.timer = requestAnimationFrame(tick);
  };

  const onPointerMove = (event) => {
    if (!drag.current) return;
    const now = placeIn(event);
    const { start, moved } = drag.current;
    drag.current.event = event;
    if (!moved) {
      if (Math.hypot(now.x - start.x, now.y - start.y) < START) return;
      drag.current.moved = true;
      scroller.current.setPointerCapture(event.pointerId);
      tick();
    }
    draw();
  };

  /* Return whether a rubber band has ended, so that the click that follows is none. */
  const end = () => {
    const moved = drag.current?.moved ?? false;
    if (drag.current) cancelAnimationFrame(drag.current.timer);
    drag.current = null;
    setShown(null);
    return moved;
  };

  return { shown, onPointerDown, onPointerMove, end };
}
