/* Shares: the probabilities of an image over the states of a training, as areas and as a list. */

import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { ClassSign } from "../parts.js";
import { t } from "../words.js";
import { digits } from "./numbers.js";

const WIDTH = 640;
const HEIGHT = 220;
const MOST = 7; // classes with a colour of their own; the others are one area

/* Return the classes with the largest probabilities on the way, by their number. */
function chosen({ class_names: names, probabilities }) {
  const largest = names.map((_name, label) => Math.max(...probabilities.map((row) => row[label])));
  const order = names.map((_name, label) => label).sort((a, b) => largest[b] - largest[a]);
  return order.slice(0, MOST).sort((a, b) => a - b);
}

export function Shares({ way, at, setAt }) {
  const svg = useRef(null);
  const { class_names: names, probabilities } = way;
  const last = probabilities.length - 1;
  const x = (place) => 2 + ((WIDTH - 4) * place) / Math.max(1, last);
  const labels = chosen(way);
  let below = probabilities.map(() => 0);
  const areas = labels.map((label) => {
    const above = probabilities.map((row, place) => below[place] + row[label]);
    const point = (value, place) => `${x(place).toFixed(1)},${(HEIGHT * (1 - value)).toFixed(1)}`;
    const points = [...above.map(point), ...below.map(point).reverse()].join(" ");
    below = above;
    return { label, points };
  });
  const onPointer = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = svg.current.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    setAt(Math.max(0, Math.min(last, Math.round(share * last))));
  };
  const now = probabilities[at];
  const before = at ? probabilities[at - 1] : null;
  const order = [...labels].sort((a, b) => now[b] - now[a]);
  return html`
    <section class="micro-panel" aria-labelledby="shares-title">
      <h2 id="shares-title">${t("shares_title")}</h2>
      <div class="shares">
        <svg
          ref=${svg}
          viewBox="0 0 ${WIDTH} ${HEIGHT}"
          preserveAspectRatio="none"
          role="img"
          aria-label=${t("shares_drawing")}
          onPointerDown=${onPointer}
          onPointerMove=${onPointer}
        >
          <rect class="rest" width=${WIDTH} height=${HEIGHT} />
          ${areas.map(
            ({ label, points }) => html`<polygon class="area" data-colour=${label % 8} points=${points} />`,
          )}
          <line class="here" x1=${x(at)} x2=${x(at)} y1="0" y2=${HEIGHT} />
        </svg>
        <ol class="share-list">
          ${order.map(
            (label) => html`
              <li key=${label}>
                <${ClassSign} place=${label} /><span class="name">${names[label]}</span>
                <b>${digits(100 * now[label], 1)} %</b>
                <small>${before ? change(100 * (now[label] - before[label])) : ""}</small>
              </li>
            `,
          )}
        </ol>
      </div>
    </section>
  `;
}

/* A difference in percentage points, with its sign. */
const change = (points) => (Math.abs(points) < 0.05 ? "±0" : `${points > 0 ? "+" : ""}${digits(points, 1)}`);
