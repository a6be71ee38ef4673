/* Calibration: whether the confidence of a version is as high as its share of correct answers. */

import { html } from "../html.js";
import { decimal, percent, t } from "../words.js";

const WIDTH = 420;
const HEIGHT = 240;
const EDGE = { left: 46, right: 12, top: 12, bottom: 36 };

const across = (share) => EDGE.left + share * (WIDTH - EDGE.left - EDGE.right);
const up = (share) => HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);

const whole = (share) => percent(share, 0);

const Axes = () => html`
  ${[0, 0.25, 0.5, 0.75, 1].map(
    (share) => html`
      <line class="rule" x1=${across(0)} x2=${across(1)} y1=${up(share)} y2=${up(share)} />
      <text x=${EDGE.left - 6} y=${up(share) + 4} text-anchor="end">${whole(share)}</text>
    `,
  )}
`;

/* How often predictions of a confidence are correct: on the diagonal, they are as often as they say. */
export function Calibration({ bins }) {
  const used = bins.filter(({ accuracy }) => accuracy.n > 0);
  const most = Math.max(...used.map(({ accuracy }) => accuracy.n));
  return html`
    <figure class="chart">
      <figcaption>${t("scores_calibration")}</figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${t("scores_calibration_said")}>
        <${Axes} />
        <line class="diagonal" x1=${across(0)} y1=${up(0)} x2=${across(1)} y2=${up(1)} />
        ${used.map(({ confidence, accuracy: { value, low, high, n } }) => {
          const x = across(confidence);
          return html`
            <g>
              <title>${t("scores_bin", { confidence: percent(confidence), value: percent(value), n: decimal(n) })}</title>
              <line class="whisker" x1=${x} x2=${x} y1=${up(low)} y2=${up(high)} />
              <circle cx=${x} cy=${up(value)} r=${2.5 + 5 * Math.sqrt(n / most)} />
            </g>
          `;
        })}
        ${[0, 0.5, 1].map((share) => html`<text x=${across(share)} y=${HEIGHT - 18} text-anchor=${share === 1 ? "end" : "middle"}>${whole(share)}</text>`)}
        <text x=${across(0.5)} y=${HEIGHT - 4} text-anchor="middle">${t("scores_confidence")}</text>
      </svg>
      <p class="legend">${t("scores_calibration_how")}</p>
    </figure>
  `;
}
