/* Curve: a line of values over steps, with powers of ten at its side. */

import { html } from "../html.js";
import { decimal, t } from "../words.js";

const WIDTH = 420;
const HEIGHT = 190;
const BOX = { left: 52, right: 8, top: 10, bottom: 30 };
const MOST = 300; // points that are drawn

export function Curve({ values, label }) {
  const steps = values.length - 1;
  const powers = values.filter((value) => value > 0).map(Math.log10);
  const low = Math.floor(Math.min(...sampled(powers), 0) - 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.max(...sampled(powers), low)));
  const x = (step) => BOX.left + ((WIDTH - BOX.left - BOX.right) * step) / Math.max(1, steps);
  const y = (power) =>
    BOX.top + ((HEIGHT - BOX.top - BOX.bottom) * (high - power)) / (high - low);
  const every = Math.max(1, Math.ceil(values.length / MOST));
  const points = values
    .map((value, step) => [step, value])
    .filter(([step, value]) => value > 0 && (step % every === 0 || step === steps))
    .map(([step, value]) => `${x(step).toFixed(1)},${y(Math.log10(value)).toFixed(1)}`);
  const [lastX, lastY] = points.at(-1)?.split(",") ?? [];
  const ticks = Array.from({ length: high - low + 1 }, (_one, place) => low + place);
  return html`
    <svg class="curve" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${label}>
      ${ticks.map(
        (power) => html`
          <line class="grid-line" x1=${BOX.left} x2=${WIDTH - BOX.right} y1=${y(power)} y2=${y(power)} />
          <text class="tick-y" x=${BOX.left - 6} y=${y(power) + 4}>
            10<tspan dy="-5" font-size="9">${String(power).replace("-", "−")}</tspan>
          </text>
        `,
      )}
      <text class="tick-x" x=${BOX.left} y=${HEIGHT - 10}>0</text>
      ${steps > 0 &&
      html`<text class="tick-x end" x=${WIDTH - BOX.right} y=${HEIGHT - 10}>
        ${t("steps_axis", { n: decimal(steps) })}
      </text>`}
      <polyline class="line" points=${points.join(" ")} />
      ${lastX && html`<circle class="now" cx=${lastX} cy=${lastY} r="4.5" />`}
    </svg>
  `;
}

/* The arguments of a function are limited, so that long lists are thinned out, ends included. */
function sampled(values) {
  const every = Math.max(1, Math.ceil(values.length / 5000));
  return values.filter((_one, place) => place % every === 0 || place === values.length - 1);
}
