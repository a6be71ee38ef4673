/* Slope: the valley from above, with lines of equal loss and the way down it. */

import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";
import { digits } from "./numbers.js";

const HALF = [12, 5]; // what is seen of the valley to each side of its lowest point
const SCALE = 40; // units of the drawing for one of the valley
const MOVES = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, 0.5], ArrowDown: [0, -0.5] };
const FAR = 1e4; // beyond it lines are not drawn any longer

const inside = (value, place) => Math.max(-HALF[place], Math.min(HALF[place], value));
const drawn = ([x, y]) => [SCALE * x, -SCALE * y].map((one) => Math.max(-FAR, Math.min(FAR, one)));

export function Slope({ way, start, setStart }) {
  const svg = useRef(null);
  const points = way.points.map(drawn);
  const [nowX, nowY] = points.at(-1);
  const [x, y] = start; // before the way from there is known
  const [startX, startY] = drawn(start);
  const at = (event) => {
    const box = svg.current.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width - 0.5) * 2 * HALF[0];
    const y = (0.5 - (event.clientY - box.top) / box.height) * 2 * HALF[1];
    const rounded = (value) => Math.round(10 * value) / 10;
    setStart([rounded(inside(x, 0)), rounded(inside(y, 1))]);
  };
  const onPointerDown = (event) => {
    if (event.button) return;
    svg.current.setPointerCapture(event.pointerId);
    at(event);
  };
  const onPointerMove = (event) => svg.current.hasPointerCapture(event.pointerId) && at(event);
  const onKeyDown = (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    setStart([inside(x + move[0], 0), inside(y + move[1], 1)]);
  };
  const box = [-HALF[0], -HALF[1], 2 * HALF[0], 2 * HALF[1]].map((one) => SCALE * one);
  return html`
    <svg
      ref=${svg}
      class="slope"
      viewBox=${box.join(" ")}
      role="group"
      aria-label=${t("valley_drawing")}
      onPointerDown=${onPointerDown}
      onPointerMove=${onPointerMove}
    >
      <g class="rings">
        ${[...way.rings].reverse().map(
          ([long, short]) => html`<ellipse rx=${SCALE * long} ry=${SCALE * short} />`,
        )}
      </g>
      <path class="least" d="M-9 0H9M0-9V9" />
      <polyline class="way" points=${points.map((one) => one.map((value) => value.toFixed(1)).join(",")).join(" ")} />
      ${points.length < 120 &&
      points.slice(1, -1).map(([left, top]) => html`<circle class="stop" cx=${left} cy=${top} r="5" />`)}
      <circle class="now" cx=${nowX} cy=${nowY} r="10" />
      <g
        class="start"
        role="slider"
        tabindex="0"
        aria-label=${t("valley_start")}
        aria-valuenow=${x}
        aria-valuemin=${-HALF[0]}
        aria-valuemax=${HALF[0]}
        aria-valuetext=${t("valley_at", { x: digits(x, 1), y: digits(y, 1) })}
        onKeyDown=${onKeyDown}
      >
        <circle class="grip" cx=${startX} cy=${startY} r="24" />
        <circle cx=${startX} cy=${startY} r="13" />
      </g>
    </svg>
  `;
}
