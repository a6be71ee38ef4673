/* Draw: a board whose drawings become images of a class. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { classOf } from "../project.js";
import { enqueue, newGroup, newName, queue, unsafe } from "../queue.js";
import { say } from "../say.js";
import { keep, kept, useStore } from "../store.js";
import { count, t } from "../words.js";
import { blobOf, paint, SIDE } from "./strokes.js";

const STEP = 8; // pixels of the file that an arrow key moves the pen
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function Draw({ classId }) {
  const canvas = useRef(null);
  const [strokes, setStrokes] = useState([]);
  const [paper, setPaper] = useState(kept("paper") ?? "black");
  const [width, setWidth] = useState(Number(kept("pen")) || 18);
  const [pen, setPen] = useState(null); // of the keyboard: its place, and whether it is down
  const [group] = useState(newGroup);
  useEffect(() => paint(canvas.current, strokes, paper), [strokes, paper]);
  useEffect(() => canvas.current.focus(), []);
  const { name } = classOf(classId);

  const begin = (point) => setStrokes((all) => [...all, { width, points: [point] }]);
  const go = (points) =>
    setStrokes((all) => {
      const last = all.at(-1);
      return [...all.slice(0, -1), { ...last, points: [...last.points, ...points] }];
    });
  const back = () => setStrokes((all) => all.slice(0, -1));
  const add = async () => {
    if (!strokes.length) {
      say(t("draw_first"));
      return;
    }
    const blob = await blobOf(canvas.current);
    enqueue([{ blob, name: newName("drawing", "png"), class: classId, group }]);
    say(t("did_draw", { name }));
    setStrokes([]);
    setPen((now) => now && { ...now, down: false });
    canvas.current.focus();
  };

  const onKeyDown = (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (isUndo && strokes.length) back();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "Enter") add();
    else if (event.key === "Escape" && strokes.length) setStrokes([]);
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
        aria-label=${t("board", { name })}
        aria-describedby="board-keys"
        onKeyDown=${onKeyDown}
        ...${pointer(canvas, begin, go)}
      ></canvas>
      ${pen && html`<i class="pen" data-down=${pen.down} style=${placeOf(pen)}></i>`}
    </div>
    <div class="controls">
      <div class="buttons">
        <button type="button" class="button primary" onClick=${add}>
          <${Icon} name="check" />${t("add_drawing", { name })}
        </button>
        <button type="button" class="button" disabled=${!strokes.length} onClick=${back}>
          <${Icon} name="undo" />${t("undo_stroke")}
        </button>
        <button type="button" class="button" disabled=${!strokes.length} onClick=${() => setStrokes([])}>
          <${Icon} name="close" />${t("clear")}
        </button>
      </div>
      <${Settings} ...${{ width, setWidth, paper, setPaper }} />
      <${Saved} group=${group} />
      <p class="note" id="board-keys">${t("board_keys")}</p>
    </div>
  `;
}

const placeOf = ({ x, y }) => ({ left: `${(100 * x) / SIDE}%`, top: `${(100 * y) / SIDE}%` });

/* The width of the pen and the colours, which the browser keeps. */
function Settings({ width, setWidth, paper, setPaper }) {
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

function Saved({ group }) {
  const { saved } = useStore(queue);
  const left = unsafe();
  return html`
    <p class="recorded">
      <b>${count("saved", saved[group] ?? 0)}</b>
      ${left > 0 && html` <span class="unsafe">${count("unsafe", left)}</span>`}
    </p>
  `;
}
