/* Slider: a choice among values that stand in a list. */

import { html } from "../html.js";

export const Slider = ({ label, values, value, choose, isWide = false, isBeyond = false, children }) => html`
  <label class="slider ${isWide ? "wide" : ""}" data-beyond=${isBeyond}>
    <span>${label} <b>${value}</b></span>
    <input
      type="range"
      min="0"
      max=${values.length - 1}
      step="1"
      value=${values.indexOf(value)}
      aria-valuetext=${value}
      onInput=${(event) => choose(values[Number(event.target.value)])}
    />
    ${children}
  </label>
`;
