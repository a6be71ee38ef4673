/* Network: the 2-2-2 network of lecture 003, and how each of its weights learns. */

import { useEffect } from "preact/hooks";
import { connection } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { createStore, useStore } from "../store.js";
import { count, decimal, t } from "../words.js";
import { createQueue } from "./asking.js";
import { Chain } from "./chain.js";
import { Curve } from "./curve.js";
import { Drawing } from "./drawing.js";
import { digits } from "./numbers.js";
import { Slider } from "./slider.js";

const STEPS = [1, 100, 1000];
const RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

/* shown: the last answer; errors: before the first step, and after each. All of it stays when one
   leaves the room, since no address could hold the steps. */
const state = createStore({ shown: null, errors: [], chosen: "w5", rate: 0.5, moves: false });

const ask = createQueue("/api/microscope/network");

/* Go on from the weights that are shown. */
function ahead() {
  const { shown, rate, moves } = state.get();
  return { weights: shown?.weights, biases: shown?.biases, rate, move_biases: moves };
}

function take(shown) {
  const { errors } = state.get();
  state.change({ shown, errors: [...(errors.length ? errors : [shown.error]), ...shown.errors] });
}

export function Network() {
  const { times } = useStore(connection);
  const { shown, errors, chosen, rate, moves } = useStore(state);
  // A request says what it asks for when its turn comes, after the answer to the one before it.
  const step = (steps) => ask(() => ({ ...ahead(), steps }), take);
  const reset = () =>
    ask(
      () => ({ ...ahead(), weights: undefined, biases: undefined }),
      (said) => {
        state.change({ errors: [] });
        take(said);
      },
    );
  const change = (part) => {
    state.change(part);
    step(0);
  };
  useEffect(() => {
    if (!shown) step(0);
  }, [times]);
  if (!shown) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  const choose = (name) => state.change({ chosen: name });
  const taken = errors.length - 1;
  return html`
    <div class="by-hand">
      <section class="micro-stage" aria-labelledby="network-title">
        <header>
          <h2 id="network-title">${t("network_title")}</h2>
          <p class="note">${t("network_about")}</p>
        </header>
        <${Drawing} shown=${shown} chosen=${chosen} choose=${choose} />
        <div class="micro-controls">
          <div class="buttons">
            ${STEPS.map(
              (steps, place) => html`
                <button
                  type="button"
                  class="button ${place === 0 ? "primary" : ""}"
                  data-counts
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
          <${Slider} label=${t("learning_rate")} values=${RATES} value=${rate} choose=${(value) => change({ rate: value })} />
          <label class="tick-line">
            <input
              type="checkbox"
              checked=${moves}
              onChange=${(event) => change({ moves: event.target.checked })}
            />
            ${t("move_biases")}
          </label>
        </div>
      </section>
      <aside class="micro-aside">
        <${Chain} shown=${shown} name=${chosen} rate=${rate} choose=${choose} />
        <section class="micro-panel" aria-labelledby="error-title">
          <h2 id="error-title">${t("error_title")}</h2>
          <p class="big-number" role="status">
            <span>E = ${digits(shown.error, 9)}</span>
            <small>${count("after_steps", taken)}</small>
          </p>
          <${Curve} values=${errors} label=${t("error_curve")} />
        </section>
      </aside>
    </div>
  `;
}
