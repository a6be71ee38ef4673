/* List: the trainings that go on, wait or have ended. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { IconButton } from "../parts.js";
import { show } from "../place.js";
import { t } from "../words.js";
import { State, stateOf, stateText } from "./shown.js";
import { moment } from "../time.js";
import { act, removeTraining } from "./trainings.js";

export const List = ({ rows, shown, busyWith, damage }) => html`
  <section class="trainings" aria-labelledby="trainings-title">
    <h2 id="trainings-title">${t("trainings")}</h2>
    ${damage && html`<p class="note"><${Icon} name="warning" />${damage}</p>`}
    ${busyWith && html`<p class="note"><${Icon} name="note" />${t("train_busy", { run: busyWith })}</p>`}
    ${rows.some(({ entry }) => entry?.state === "waiting") && html`<p class="note">${t("queue_about")}</p>`}
    <ul>
      ${rows.map((row) => html`<${Row} key=${row.run} row=${row} isShown=${row === shown} rows=${rows} />`)}
    </ul>
  </section>
`;

function Row({ row, isShown, rows }) {
  const { run, entry, found } = row;
  const state = stateOf(row);
  const waiting = rows.filter((one) => stateOf(one) === "waiting");
  const place = waiting.indexOf(row);
  const said = state === "finished" && found?.accuracy ? `${found.accuracy.text} ${found.accuracy.interval}` : found?.asked ? found.progress : "";
  return html`
    <li data-shown=${isShown}>
      <button type="button" class="row" aria-current=${isShown ? "true" : null} onClick=${() => show({ run })}>
        <span class="name">${run}</span>
        <${State} state=${state} text=${stateText(row, state)} />
        <span class="said">${said}</span>
        <time>${moment(found?.began ?? entry?.asked)}</time>
      </button>
      <span class="tools">
        ${state === "waiting" &&
        html`
          <${IconButton} icon="up" label=${t("queue_earlier", { run })} disabled=${place === 0} onClick=${() => act(`/${entry.id}/earlier`)} />
          <${IconButton} icon="down" label=${t("queue_later", { run })} disabled=${place === waiting.length - 1} onClick=${() => act(`/${entry.id}/later`)} />
        `}
        ${entry &&
        (state === "waiting" || (state !== "running" && !found)) &&
        html`<${IconButton} icon="close" label=${t("queue_remove", { run })} onClick=${() => removeTraining(entry)} />`}
      </span>
    </li>
  `;
}
