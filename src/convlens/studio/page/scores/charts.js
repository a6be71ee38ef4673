/* Charts: the learning curves and the calibration of a version, drawn as SVG. */

import { html } from "../html.js";
import { decimal, fixed, percent, t } from "../words.js";

const WIDTH = 420;
const HEIGHT = 240;
const EDGE = { left: 46, right: 12, top: 12, bottom: 36 };

const across = (share) => EDGE.left + share * (WIDTH - EDGE.left - EDGE.right);
const up = (share) => HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);

/* The accuracy and the loss of each epoch, on the training and the validation images. */
export function Curves({ rows, best }) {
  return html`
    <${Curve} rows=${rows} best=${best} names=${["accuracy", "val_accuracy"]} title=${t("scores_accuracy")} most=${1} written=${percent} marked=${whole} />
    <${Curve} rows=${rows} best=${best} names=${["loss", "val_loss"]} title=${t("scores_loss")} written=${rounded} />
  `;
}

const whole = (share) => percent(share, 0);
const rounded = (value) => fixed(value, 2);

function Curve({ rows, best, names, title, most, written, marked = written }) {
  const values = rows.flatMap((row) => names.map((name) => row[name])).filter(Number.isFinite);
  if (!values.length) return null;
  const top = most ?? Math.max(...values) * 1.05;
  const first = rows[0].epoch;
  const span = Math.max(1, rows.at(-1).epoch - first);
  const x = (epoch) => across((epoch - first) / span);
  const line = (name) =>
    rows
      .filter((row) => Number.isFinite(row[name]))
      .map((row) => `${x(row.epoch).toFixed(1)},${up(row[name] / top).toFixed(1)}`)
      .join(" ");
  const last = rows.at(-1);
  const said = t("scores_curve_said", {
    title,
    train: Number.isFinite(last[names[0]]) ? written(last[names[0]]) : "–",
    validation: Number.isFinite(last[names[1]]) ? written(last[names[1]]) : "–",
    epochs: rows.length,
  });
  return html`
    <figure class="chart">
      <figcaption>${title}</figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${said}>
        <${Axes} top=${top} written=${marked} />
        ${best && html`<line class="best" x1=${x(best)} x2=${x(best)} y1=${up(0)} y2=${up(1)} />`}
        <polyline class="train" points=${line(names[0])} />
        <polyline class="validation" points=${line(names[1])} />
        <text x=${across(0)} y=${HEIGHT - 18}>${decimal(first)}</text>
        <text x=${across(1)} y=${HEIGHT - 18} text-anchor="end">${decimal(last.epoch)}</text>
        <text x=${across(0.5)} y=${HEIGHT - 4} text-anchor="middle">${t("scores_epoch")}</text>
      </svg>
      <p class="legend">
        <span class="train">${t("scores_training")}</span><span class="validation">${t("scores_validation")}</span>
        ${best && html`<span class="best">${t("scores_best", { n: best })}</span>`}
      </p>
    </figure>
  `;
}

const Axes = ({ top, written }) => html`
  ${[0, 0.25, 0.5, 0.75, 1].map(
    (share) => html`
      <line class="rule" x1=${across(0)} x2=${across(1)} y1=${up(share)} y2=${up(share)} />
      <text x=${EDGE.left - 6} y=${up(share) + 4} text-anchor="end">${written(share * top)}</text>
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
        <${Axes} top=${1} written=${whole} />
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
