/* Proof: what the comparison of an export with its classifier has found, in numbers and drawn. */

import { html } from "../html.js";
import { count, decimal, percent, t } from "../words.js";
import { bytes, milliseconds, science } from "./numbers.js";

const LEAST = -9; // powers of ten at the ends of the scale of differences
const MOST = 0;
const WIDTH = 320;

export function Proof({ one }) {
  const { proof, cost } = one;
  const agree = proof.labels - proof.changed;
  return html`
    <section class="proof" aria-label=${t("ship_proof")}>
      <h4>${t("ship_proof")}</h4>
      <dl class="facts">
        <div>
          <dt>${t("proof_compared")}</dt>
          <dd>${count("proof_examples", proof.examples)} · ${count("proof_images", proof.images)}</dd>
        </div>
        <div>
          <dt>${t("proof_labels")}</dt>
          <dd><b>${t("proof_agree", { n: decimal(agree), all: decimal(proof.labels) })}</b></dd>
        </div>
        <div>
          <dt>${t("proof_largest")}</dt>
          <dd>
            <b>${science(proof.largest)}</b>${" "}
            ${cost ? "" : t("proof_allowed", { n: science(proof.allowed) })}
          </dd>
        </div>
      </dl>
      <${Scale} largest=${proof.largest} allowed=${cost ? null : proof.allowed} />
      <dl class="facts">
        ${cost &&
        html`<div>
          <dt>${t("proof_cost")}</dt>
          <dd>${costText(cost, one.precision)}</dd>
        </div>`}
        <div>
          <dt>${t("proof_size")}</dt>
          <dd>
            <b>${bytes(proof.size)}</b>${" "}
            ${proof.float32_size
              ? t("proof_size_float32", { size: bytes(proof.float32_size) })
              : t("proof_size_file", { size: bytes(proof.classifier_size) })}
          </dd>
        </div>
        <div>
          <dt>${t("proof_time")}</dt>
          <dd>
            <b>${milliseconds(proof.milliseconds)}</b>${" "}
            ${t("proof_time_here", { time: milliseconds(proof.classifier_milliseconds) })}
          </dd>
        </div>
      </dl>
    </section>
  `;
}

function costText(cost, precision) {
  const fields = { before: percent(cost.before), after: percent(cost.after), precision };
  return html`<b>${t(cost.labelled ? "proof_cost_text" : "proof_cost_same", fields)}</b> ${cost.text}`;
}

/* The largest difference on a scale of powers of ten, with the tolerance as a line. */
function Scale({ largest, allowed }) {
  const at = (number) => {
    const power = Math.log10(Math.max(number, 10 ** LEAST));
    return (WIDTH * (Math.min(power, MOST) - LEAST)) / (MOST - LEAST);
  };
  const label = allowed
    ? t("scale_label", { largest: science(largest), allowed: science(allowed) })
    : t("scale_label_alone", { largest: science(largest) });
  const isFine = !allowed || largest <= allowed;
  return html`
    <svg class="scale" viewBox="-14 0 ${WIDTH + 28} 46" role="img" aria-label=${label}>
      ${allowed &&
      html`<rect class="scale-allowed" x="0" y="8" width=${at(allowed)} height="14" rx="3" />
        <line class="scale-limit" x1=${at(allowed)} x2=${at(allowed)} y1="2" y2="28" />`}
      <line class="scale-axis" x1="0" x2=${WIDTH} y1="28" y2="28" />
      ${[-9, -6, -3, 0].map(
        (power) => html`
          <line class="scale-axis" x1=${at(10 ** power)} x2=${at(10 ** power)} y1="28" y2="32" />
          <text x=${at(10 ** power)} y="44">${power ? science(10 ** power).replace("1 × ", "") : "1"}</text>
        `,
      )}
      <circle class="scale-point" data-fine=${isFine} cx=${at(largest)} cy="15" r="6" />
    </svg>
  `;
}

/* The scores of the run, with their 95 % intervals. */
export function Scores({ one }) {
  return html`
    <section class="scores-list" aria-label=${t("ship_scores")}>
      <h4>${t("ship_scores")}</h4>
      <ul>
        ${one.scores.map(
          (score) => html`
            <li>
              <span class="score-name">${score.name}</span>
              <b>${score.text}</b>
              <span class="note">${score.interval}</span>
              ${score.key !== "log_loss" && html`<${Interval} score=${score} />`}
            </li>
          `,
        )}
      </ul>
      ${one.precision !== "float32" &&
      html`<p class="note">${t("ship_scores_float32", { precision: one.precision })}</p>`}
    </section>
  `;
}

const Interval = ({ score: { low, value, high } }) => html`
  <svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="interval-all" x="0" y="4" width="100" height="2" />
    <rect class="interval-part" x=${100 * low} y="2" width=${Math.max(0.5, 100 * (high - low))} height="6" />
    <rect class="interval-value" x=${100 * value - 0.4} y="0" width="0.8" height="10" />
  </svg>
`;
