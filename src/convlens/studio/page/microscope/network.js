/* Network: the 2-2-2 network of lecture 003, and how each of its weights learns. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { decimal, t } from "../words.js";
import { useQueue } from "./asking.js";
import { Chain } from "./chain.js";
import { Curve } from "./curve.js";
import { Drawing } from "./drawing.js";
import { digits } from "./numbers.js";

const STEPS = [1, 100, 1000];
const RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

export function Network() {
  const [ask] = useQueue("/api/microscope/network");
  const [shown, setShown] = useState(null); // the last answer
  const [errors, setErrors] = useState([]); // before the first step, and after each
  const [chosen, setChosen] = useState("w5");
  const [rate, setRate] = useState(0.5);
  const [moves, setMoves] = useState(false);
  const now = useRef({}); // weights and biases, for a step that is asked for before it is drawn

  const take = (said) => {
    now.current = { weights: said.weights, biases: said.biases };
    setShown(said);
    setErrors((all) => [...(all.length ? all : [said.error]), ...said.errors]);
  };
  const step = (steps, more = {}) =>
    ask(() => ({ ...now.current, rate, move_biases: moves, steps, ...more }), take);
  const reset = () => {
    ask(() => {
      now.current = {};
      return { rate, move_biases: moves };
    }, (said) => {
      setErrors([]);
      take(said);
    });
  };
  useEffect(() => step(0), []);
  if (!shown) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  const chooseRate = (value) => {
    setRate(value);
    step(0, { rate: value });
  };
  const chooseMoves = (value) => {
    setMoves(value);
    step(0, { move_biases: value });
  };
  const taken = errors.length - 1;
  return html`
    <div class="by-hand">
      <section class="micro-stage" aria-labelledby="network-title">
        <header>
          <h2 id="network-title">${t("network_title")}</h2>
          <p class="note">${t("network_about")}</p>
        </header>
        <${Drawing} shown=${shown} chosen=${chosen} choose=${setChosen} />
        <div class="micro-controls">
          <div class="buttons">
            ${STEPS.map(
              (steps, place) => html`
                <button
                  type="button"
                  class="button ${place === 0 ? "primary" : ""}"
                  onClick=${() => step(steps)}
                >
                  ${place === 0 && html`<${Icon} name="arrow" />`}
                  ${steps === 1 ? t("one_step") : t("many_steps", { n: decimal(steps) })}
                </button>
              `,
            )}
            <button type="button" class="button" onClick=${reset}>
              <${Icon} name="restore" />${t("from_start")}
            </button>
          </div>
          <${Rate} rate=${rate} choose=${chooseRate} />
          <label class="tick-line">
            <input
              type="checkbox"
              checked=${moves}
              onChange=${(event) => chooseMoves(event.target.checked)}
            />
            ${t("move_biases")}
          </label>
        </div>
      </section>
      <aside class="micro-aside">
        <${Chain} shown=${shown} name=${chosen} rate=${rate} choose=${setChosen} />
        <section class="micro-panel" aria-labelledby="error-title">
          <h2 id="error-title">${t("error_title")}</h2>
          <p class="big-number" role="status">
            <span>E = ${digits(shown.error, 9)}</span>
            <small>${t(taken === 1 ? "after_steps_one" : "after_steps_many", { n: decimal(taken) })}</small>
          </p>
          <${Curve} values=${errors} label=${t("error_curve")} />
        </section>
      </aside>
    </div>
  `;
}

/* The learning rate: a slider over values that double, more or less. */
function Rate({ rate, choose }) {
  const place = RATES.indexOf(rate);
  return html`
    <label class="slider">
      <span>${t("learning_rate")} <b>${rate}</b></span>
      <input
        type="range"
        min="0"
        max=${RATES.length - 1}
        step="1"
        value=${place}
        aria-valuetext=${rate}
        onInput=${(event) => choose(RATES[Number(event.target.value)])}
      />
    </label>
  `;
}
