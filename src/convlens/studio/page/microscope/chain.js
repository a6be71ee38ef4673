/* Chain: how the error changes with one weight, as a product of factors, and its update. */

import { html } from "../html.js";
import { t } from "../words.js";
import { digits, inBrackets } from "./numbers.js";

const PLACES = 9; // as the lecture has them

export function Chain({ shown, name, rate, choose }) {
  const chain = shown.chains.find((one) => one.name === name);
  const neuron = `${chain.layer ? "o" : "h"}${chain.unit + 1}`;
  const input = `${chain.layer ? "h" : "i"}${chain.source + 1}`;
  const out = shown.outputs[chain.layer][chain.unit];
  const factors = [
    {
      by: ["E", `out ${neuron}`],
      value: chain.error_by_output,
      from: sources(shown, chain, neuron),
    },
    {
      by: [`out ${neuron}`, `net ${neuron}`],
      value: chain.output_by_sum,
      from: [`out (1 − out) = ${digits(out, 6)} × ${digits(1 - out, 6)}`],
    },
    {
      by: [`net ${neuron}`, name],
      value: chain.sum_by_weight,
      from: [t(chain.layer ? "factor_output" : "factor_input", { name: input })],
    },
  ];
  return html`
    <section class="micro-panel chain" aria-labelledby="chain-title">
      <header>
        <h2 id="chain-title">${t("chain_title", { name })}</h2>
        <label class="pick">
          <span class="hidden">${t("choose_weight")}</span>
          <select value=${name} onChange=${(event) => choose(event.target.value)}>
            ${shown.chains.map(
              (one) => html`<option value=${one.name} selected=${one.name === name}>${one.name}</option>`,
            )}
          </select>
        </label>
      </header>
      <ol class="factors">
        ${factors.map(
          ({ by, value, from }, place) => html`
            <li>
              <span class="sign" aria-hidden="true">${place ? "×" : ""}</span>
              <${Fraction} above=${by[0]} below=${by[1]} />
              <span class="factor-number">
                <b>${digits(value, PLACES)}</b>
                ${from.map((line) => html`<small>${line}</small>`)}
              </span>
            </li>
          `,
        )}
        <li class="product">
          <span class="sign">=</span>
          <${Fraction} above="E" below=${name} />
          <span class="factor-number"><b>${digits(chain.gradient, PLACES)}</b></span>
        </li>
      </ol>
      <p class="update">
        <span class="what">${t("update_title")}</span>
        <span class="sum-line">
          ${digits(chain.before, PLACES)} − ${rate} × ${inBrackets(chain.gradient, PLACES)}
          ${" = "}<b>${digits(chain.after, PLACES)}</b>
        </span>
        <span class="note">${t(direction(chain), { name })}</span>
      </p>
    </section>
  `;
}

/* Where the first factor comes from: the target, or what the outputs send back. */
function sources(shown, chain, neuron) {
  if (chain.layer === 1) {
    const out = digits(shown.outputs[1][chain.unit], 6);
    return [`out − target = ${out} − ${digits(shown.targets[chain.unit], 2)}`];
  }
  return chain.terms.map((term, output) => {
    const delta = shown.deltas[1][output];
    const weight = shown.chains[4 + 2 * output + chain.unit];
    const sign = output ? "+ " : "";
    const product = `${inBrackets(delta, 6)} × ${inBrackets(weight.before, 4)}`;
    return `${sign}δo${output + 1} × ${weight.name} = ${product} = ${digits(term, 6)}`;
  });
}

const direction = ({ gradient }) =>
  gradient > 0 ? "update_down" : gradient < 0 ? "update_up" : "update_none";

/* A derivative, written as a fraction, and as words for those who hear it. */
const Fraction = ({ above, below }) => html`
  <span class="fraction" role="img" aria-label="∂${above} / ∂${below}">
    <span>∂${above}</span><span>∂${below}</span>
  </span>
`;
