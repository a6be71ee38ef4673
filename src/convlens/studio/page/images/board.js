/* Board: what one draws on, with the mouse, a finger, a pen or the arrow keys. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { keep, kept } from "../store.js";
import { t } from "../words.js";
import { paint, SIDE } from "./strokes.js";

const STEP = 8; // pixels of the file that an arrow key moves the pen
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/* The state of a board: its strokes, its colours, and what changes them. */
export function useBoard() {
  const canvas = useRef(null);
  const [strokes, setStrokes] = useState([]);
  const [paper, setPaper] = useState(kept("paper") ?? "black");
  const [width, setWidth] = useState(Number(kept("pen")) || 18);
  const [pen, setPen] = useState(null); // of the keyboard: its place, and whether it is down
  const isDrawing = useRef(false); // whether a stroke was begun that was not taken back
  // At once, so that a key that follows finds on the canvas what was drawn.
  useLayoutEffect(() => paint(canvas.current, strokes, paper), [strokes, paper]);
  useEffect(() => canvas.current.focus(), []);
  const begin = (point) => {
    isDrawing.current = true;
    setStrokes((all) => [...all, { width, points: [point] }]);
  };
  const go = (points) => {
    if (!isDrawing.current) return;
    setStrokes((all) => {
      const last = all.at(-1);
      return [...all.slice(0, -1), { ...last, points: [...last.points, ...points] }];
    });
  };
  const lift = () => {
    isDrawing.current = false;
    setPen((now) => now && { ...now, down: false });
  };
  const back = () => {
    lift();
    setStrokes((all) => all.slice(0, -1));
  };
  const clear = () => {
    lift();
    setStrokes([]);
  };
  const empty = () => {
    clear();
    canvas.current.focus();
  };
  const state = { canvas, strokes, paper, setPaper, width, setWidth, pen, setPen };
  return { ...state, begin, go, back, clear, empty };
}

/* The board itself; `onEnter` is what the key Enter does. */
export function Board({ board, label, onEnter }) {
  const { canvas, strokes, pen, setPen, begin, go, back, clear } = board;
  const onKeyDown = (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (isUndo && strokes.length) back();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "Enter") onEnter();
    else if (event.key === "Escape" && strokes.length) clear();
    else if (event.key === " " || MOVES[event.key]) penKey(event, { pen, setPen, begin, go });
    else return;
    event.preventDefault();
  };
  return html`
    <div class="stage board">
      <canvas
        ref=${canvas}
        width=${SIDE}
        height=${SIDE}
        tabindex="0"
        role="application"
        aria-label=${label}
        aria-describedby="board-keys"
        onKeyDown=${onKeyDown}
        ...${pointer(canvas, begin, go)}
      ></canvas>
      ${pen && html`<i class="pen" data-down=${pen.down} style=${placeOf(pen)}></i>`}
    </div>
  `;
}

/* The buttons that take back a stroke, or all of them. */
export const StrokeButtons = ({ board: { strokes, back, clear } }) => html`
  <button type="button" class="button" data-counts disabled=${!strokes.length} onClick=${back}>
    <${Icon} name="undo" />${t("undo_stroke")}
  </button>
  <button type="button" class="button" disabled=${!strokes.length} onClick=${clear}>
    <${Icon} name="close" />${t("clear")}
  </button>
`;

const placeOf = ({ x, y }) => ({ left: `${(100 * x) / SIDE}%`, top: `${(100 * y) / SIDE}%` });

/* The width of the pen and the colours, which the browser keeps. */
export function BoardSettings({ board: { width, setWidth, paper, setPaper } }) {
  const onWidth = (event) => {
    setWidth(Number(event.target.value));
    keep("pen", event.target.value);
  };
  const onPaper = (event) => {
    setPaper(event.target.value);
    keep("paper", event.target.value);
  };
  return html`
    <div class="settings">
      <label>
        ${t("pen")}
        <input type="range" min="4" max="40" step="2" value=${width} onInput=${onWidth} />
      </label>
      <label>
        ${t("paper")}
        <select onChange=${onPaper}>
          <option value="black" selected=${paper === "black"}>${t("white_on_black")}</option>
          <option value="white" selected=${paper === "white"}>${t("black_on_white")}</option>
        </select>
      </label>
    </div>
  `;
}

/* The handlers of the mouse, a finger or a pen. */
function pointer(canvas, begin, go) {
  const at = ({ clientX, clientY }) => {
    const box = canvas.current.getBoundingClientRect();
    return {
      x: ((clientX - box.left) / box.width) * SIDE,
      y: ((clientY - box.top) / box.height) * SIDE,
    };
  };
  return {
    onPointerDown: (event) => {
      if (event.button) return;
      canvas.current.setPointerCapture(event.pointerId);
      begin(at(event));
    },
    onPointerMove: (event) => {
      if (!canvas.current.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      go((events.length ? events : [event]).map(at));
    },
  };
}

/* Move the pen of the keyboard, or put it down or up. */
function penKey(event, { pen, setPen, begin, go }) {
  const now = pen ?? { x: SIDE / 2, y: SIDE / 2, down: false };
  if (event.key === " ") {
    if (event.repeat) return; // a key that is held does its work once
    if (!now.down) begin({ x: now.x, y: now.y });
    setPen({ ...now, down: !now.down });
    return;
  }
  const [x, y] = MOVES[event.key];
  const inside = (value) => Math.max(0, Math.min(SIDE, value));
  const next = { ...now, x: inside(now.x + STEP * x), y: inside(now.y + STEP * y) };
  if (next.down) go([{ x: next.x, y: next.y }]);
  setPen(next);
}
