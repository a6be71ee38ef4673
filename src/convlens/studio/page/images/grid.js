/* Grid: all images that the filters let through. Only the cells near the window are in the page. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { connection } from "../api.js";
import { html } from "../html.js";
import { project } from "../project.js";
import { createStore, keep, kept, useStore } from "../store.js";
import { count, language, t } from "../words.js";
import { Cell } from "./cell.js";
import { openDetails } from "./details.js";
import { onGridKey } from "./keys.js";
import { between, layoutOf, placeOf, SIZES } from "./layout.js";
import { clearFilters, list } from "./list.js";
import { useRubber } from "./rubber.js";
import { choose, clearSelection, selection } from "./selection.js";

export const cellSize = createStore(SIZES[kept("cells")] ? kept("cells") : "medium");

export function chooseCellSize(size) {
  keep("cells", size);
  cellSize.set(size);
}

const STILL = 150; // milliseconds after the last scrolling
const COARSE = 150; // pixels of a screen, up to which the smaller images are sharp
const PADDING = 12; // pixels around the cells, as the style sheet has them

export function Grid() {
  const { rows, total, loaded } = useStore(list);
  const chosen = useStore(selection);
  const { classes, total: all } = useStore(project);
  const { times } = useStore(connection);
  const least = SIZES[useStore(cellSize)];
  const scroller = useRef(null);
  const content = useRef(null);
  const box = useBox(scroller);
  const { top, isStill, onScroll } = useScrolling();
  const layout = layoutOf(box.width, total, least, box.unit);
  const rubber = useRubber(scroller, content, layout);
  useFollowing(scroller, layout, chosen);

  const page = Math.max(1, Math.floor(box.height / layout.stepY) - 1);
  const [first, last] = between(layout, top - box.height, top + 2 * box.height, total);
  const shown = box.width ? indices(first, last, chosen.index, total) : [];
  const common = {
    total,
    classes,
    times,
    side: layout.side,
    height: layout.height,
    sharp: isStill && layout.side * devicePixelRatio > COARSE,
    words: language.get(),
  };
  return html`
    <div
      class="grid"
      ref=${scroller}
      role="listbox"
      tabindex="0"
      aria-multiselectable="true"
      aria-label=${count("images", total)}
      aria-activedescendant=${chosen.active && rows[chosen.index] ? `cell-${chosen.active}` : null}
      aria-describedby="grid-keys"
      onScroll=${onScroll}
      onKeyDown=${(event) => onGridKey(event, layout.columns, page)}
      onDblClick=${openDetails}
      onPointerDown=${rubber.onPointerDown}
      onPointerMove=${rubber.onPointerMove}
      onPointerUp=${(event) => rubber.end() || onClick(event)}
      onPointerCancel=${rubber.end}
    >
      <div class="cells" ref=${content} style=${{ height: `${layout.all}px` }} role="presentation">
        ${shown
          .filter((index) => rows[index])
          .map(
            (index) => html`<${Cell}
              key=${rows[index].id}
              row=${rows[index]}
              index=${index}
              ...${placeOf(layout, index)}
              ...${common}
              selected=${chosen.ids.has(rows[index].id)}
              active=${chosen.active === rows[index].id}
            />`,
          )}
        ${rubber.shown && html`<div class="rubber" style=${rectangle(rubber.shown)}></div>`}
      </div>
    </div>
    <p id="grid-keys" hidden>${t("grid_keys")}</p>
    ${loaded && !total && all > 0 && html`<${Nothing} />`}
  `;
}

/* Return how far the grid is scrolled, and whether it stands still. */
function useScrolling() {
  const [top, setTop] = useState(0);
  const [isStill, setStill] = useState(true);
  const timer = useRef(0);
  const onScroll = (event) => {
    setTop(event.target.scrollTop);
    setStill(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setStill(true), STILL);
  };
  return { top, isStill, onScroll };
}

/* Return the room of the cells and the size of the type, in pixels. */
function useBox(scroller) {
  const [box, setBox] = useState({ width: 0, height: 0, unit: 16 });
  useLayoutEffect(() => {
    const measure = () => {
      const { clientWidth, clientHeight } = scroller.current;
      const unit = parseFloat(getComputedStyle(document.documentElement).fontSize);
      setBox({ width: clientWidth - 2 * PADDING, height: clientHeight, unit });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    measure();
    return () => observer.disconnect();
  }, []);
  return box;
}

/* Keep the image that the keyboard is at in the window. */
function useFollowing(scroller, layout, chosen) {
  useEffect(() => {
    const view = scroller.current;
    if (document.activeElement !== view) return;
    const { y } = placeOf(layout, chosen.index);
    const bottom = y + layout.stepY + PADDING;
    if (y < view.scrollTop) view.scrollTop = y;
    if (bottom > view.scrollTop + view.clientHeight) view.scrollTop = bottom - view.clientHeight;
  }, [chosen.active, chosen.index]);
}

/* Select what was clicked; a finger adds to what is selected. */
function onClick(event) {
  if (event.button) return;
  const cell = event.target.closest(".cell");
  if (!cell) {
    clearSelection();
    return;
  }
  const isAdding = event.pointerType === "touch" && selection.get().ids.size > 0;
  const toggle = event.ctrlKey || event.metaKey || isAdding;
  choose(Number(cell.dataset.index), { toggle, range: event.shiftKey });
}

/* The cells near the window, and the one that the keyboard is at, for screen readers. */
function indices(first, last, active, total) {
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, n) => first + n);
  if (active < first) shown.unshift(active);
  else if (active >= last && active < total) shown.push(active);
  return shown;
}

function rectangle({ left, top, right, bottom }) {
  return {
    transform: `translate(${left}px, ${top}px)`,
    width: `${right - left}px`,
    height: `${bottom - top}px`,
  };
}

const Nothing = () => html`
  <div class="nothing">
    <p>${t("nothing_found")}</p>
    <button type="button" class="button" onClick=${clearFilters}>${t("clear_filters")}</button>
  </div>
`;
