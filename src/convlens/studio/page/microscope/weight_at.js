/* WeightAt: one weight over the states of a training: its value, chain rule and update. */

import { useLayoutEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { place, show } from "../place.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { Failed } from "./image.js";
import { digits, inBrackets } from "./numbers.js";
import { Busy } from "./subject.js";
import { nameOf } from "./time.js";
import { stopWork, useStatus, useWork } from "./work.js";

const WIDTH = 420;
const HEIGHT = 120;
const PLACES = 6;

export function WeightAt({ subject, layer, at, moments }) {
  const { unit: named = "0" } = useStore(place);
  const unit = Math.min(Number(named) || 0, layer.shape.at(-1) - 1);
  const [kind, setKind] = useState("largest");
  const [typed, setTyped] = useState("0, 0, 0");
  const asked = { largest: null, bias: "bias", place: numbersOf(typed) }[kind];
  const json = { ...subject, do: "weight", layer: layer.name, unit, place: asked };
  const { answer, problem, again } = useWork("/api/microscope/time", json);
  const status = useStatus();
  return html`
    <section class="micro-panel weight-at" aria-labelledby="weight-title">
      <header>
        <h2 id="weight-title">${t("weight_title")}</h2>
        <div class="picks">
          <label class="pick">
            <span>${t("layer_unit")}</span>
            <${Typed}
              type="number"
              min="0"
              max=${layer.shape.at(-1) - 1}
              value=${unit}
              onValue=${(value) => show({ unit: value })}
            />
          </label>
          <label class="pick">
            <span class="hidden">${t("choose_weight")}</span>
            <select onChange=${(event) => setKind(event.target.value)}>
              <option value="largest" selected=${kind === "largest"}>${t("weight_largest")}</option>
              <option value="bias" selected=${kind === "bias"}>${t("weight_bias")}</option>
              <option value="place" selected=${kind === "place"}>${t("weight_typed")}</option>
            </select>
          </label>
          ${kind === "place" &&
          html`<label class="pick">
            <span>${t("weight_typed_hint")}</span>
            <${Typed} type="text" size="9" value=${typed} onValue=${setTyped} />
          </label>`}
        </div>
      </header>
      ${problem
        ? html`<${Failed} problem=${problem} again=${again} />`
        : answer
          ? html`<${Numbers} rows=${answer.rows} at=${Math.min(at, answer.rows.length - 1)} moments=${moments} />`
          : html`<${Busy} status=${status} stop=${stopWork} />`}
    </section>
  `;
}

/* A field whose text stays while the page is drawn again, as it is when something makes progress. */
function Typed({ value, onValue, ...rest }) {
  const [text, setText] = useState(value);
  useLayoutEffect(() => setText(value), [value]);
  return html`<input
    ...${rest}
    value=${text}
    onInput=${(event) => setText(event.target.value)}
    onChange=${(event) => onValue(event.target.value)}
  />`;
}

/* The whole numbers of a text, such as those of "1, 2, 0". */
const numbersOf = (text) => (text.match(/\d+/g) ?? ["0"]).map(Number);

function Numbers({ rows, at, moments }) {
  const now = rows[at];
  const where = Array.isArray(now.place) ? now.place.join(", ") : now.place;
  return html`
    <div class="weight-numbers">
      <div class="lines">
        <p class="big-number" role="status">
          <span>w = ${digits(now.value, PLACES)}</span>
          <small>${t("weight_place", { unit: now.unit, place: where })}</small>
        </p>
        <${Line} values=${rows.map(({ value }) => value)} at=${at} label=${t("weight_line")} />
        <p class="big-number">
          <span>${t("loss_short")} = ${digits(now.loss, 4)}</span>
          <small>−ln p(${now.label})</small>
        </p>
        <${Line} values=${rows.map(({ loss }) => loss)} at=${at} label=${t("weight_loss_line")} />
      </div>
      <div class="rule">
        <h3>${t("weight_chain")}</h3>
        <${Terms} now=${now} />
        <h3>${t("weight_update")}</h3>
        <${Update} now=${now} next=${moments[at + 1]} />
      </div>
    </div>
  `;
}

/* The derivative as a sum over positions, of each of which the factors are shown. */
function Terms({ now }) {
  const hasSlope = now.terms.some(({ slope }) => slope !== null);
  const rest = now.count - now.terms.length;
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${t("weight_chain")}>
      <table class="terms">
        <thead>
          <tr>
            <th scope="col">${t("term_at")}</th>
            <th scope="col">∂L/∂out</th>
            ${hasSlope && html`<th scope="col">× ${t("term_slope")}</th>`}
            <th scope="col">× ${t("term_input")}</th>
            <th scope="col">=</th>
          </tr>
        </thead>
        <tbody>
          ${now.terms.map(
            ({ at, output, slope, input, product }) => html`
              <tr>
                <th scope="row">${at.join(", ") || "–"}</th>
                <td>${digits(output, PLACES)}</td>
                ${hasSlope && html`<td>${digits(slope, 4)}</td>`}
                <td>${digits(input, 4)}</td>
                <td>${digits(product, PLACES)}</td>
              </tr>
            `,
          )}
          ${rest > 0 &&
          html`<tr>
            <th scope="row" colspan=${hasSlope ? 4 : 3}>${t("term_others", { n: rest })}</th>
            <td>${digits(now.others, PLACES)}</td>
          </tr>`}
          <tr class="total">
            <th scope="row" colspan=${hasSlope ? 4 : 3}>∂L/∂w</th>
            <td>${digits(now.derivative, PLACES)}</td>
          </tr>
        </tbody>
      </table>
    </div>
  `;
}

/* What the next step did to the weight, or how far it moves up to the next state. */
function Update({ now, next }) {
  if (now.update) {
    return html`
      <p class="note">
        ${t("update_batch", { name: now.update.optimizer, n: digits(now.update.gradient, PLACES) })}
      </p>
      <dl class="update-steps">
        ${now.update.steps.map(
          ({ name, text, value }) => html`
            <div><dt>${name}</dt><dd>${text} = <b>${digits(value, 8)}</b></dd></div>
          `,
        )}
      </dl>
      <p class="note">${t(now.update.agrees ? "update_agrees" : "update_differs", { n: digits(now.update.kept, 8) })}</p>
    `;
  }
  if (now.change === null || !next) return html`<p class="note">${t("update_last")}</p>`;
  return html`
    <p>
      ${digits(now.value, PLACES)} + ${inBrackets(now.change, PLACES)} =
      <b> ${digits(now.value + now.change, PLACES)}</b>
    </p>
    <p class="note">${t("update_between", { name: nameOf(next) })}</p>
  `;
}

function Line({ values, at, label }) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || 1;
  const x = (place) => 8 + ((WIDTH - 16) * place) / Math.max(1, values.length - 1);
  const y = (value) => HEIGHT - 12 - ((HEIGHT - 24) * (value - low)) / span;
  return html`
    <svg class="curve" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${label}>
      ${low < 0 && high > 0 && html`<line class="grid-line" x1="0" x2=${WIDTH} y1=${y(0)} y2=${y(0)} />`}
      <line class="here" x1=${x(at)} x2=${x(at)} y1="0" y2=${HEIGHT} />
      <polyline class="line" points=${values.map((value, place) => `${x(place)},${y(value)}`).join(" ")} />
      <circle class="now" cx=${x(at)} cy=${y(values[at])} r="5" />
    </svg>
  `;
}
