/* Enough: what a time budget that is too short must be, and a button that gives it. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { decimal, t } from "../words.js";
import { about } from "../time.js";

const STEP = 30; // seconds

/* Return the fields of a sentence about what was measured. */
export const spent = ({ used, more, seconds }) => ({
  used: about(used),
  more: about(more),
  least: about(seconds),
});

/* A button for a budget that is long enough; onTake gets its seconds. */
export function Enough({ needed, onTake, kind = "" }) {
  const seconds = STEP * Math.ceil(needed.seconds / STEP);
  return html`
    <button type="button" class="button ${kind}" onClick=${() => onTake(seconds)}>
      <${Icon} name="clock" />${t("budget_take", { minutes: decimal(seconds / 60) })}
    </button>
  `;
}
