/* Mistakes: the validation images about which the network was most wrong after the last epoch. */

import { thumbUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Thumb } from "../images/thumb.js";
import { ClassSign } from "../parts.js";
import { go } from "../place.js";
import { classOf } from "../project.js";
import { count, decimal, percent, t } from "../words.js";

export function Mistakes({ live }) {
  if (!live) return null;
  const all = decimal(live.images);
  return html`
    <section class="mistakes" aria-labelledby="mistakes-title">
      <h2 id="mistakes-title">
        ${live.epoch ? t("mistakes_of_epoch", { epoch: decimal(live.epoch) }) : t("mistakes")}
      </h2>
      <p class="note">
        ${live.wrong ? count("mistakes_wrong", live.wrong, { all }) : t("mistakes_none", { all })}
      </p>
      <ul>
        ${live.mistakes.map((one) => html`<${Mistake} key=${one.name} one=${one} />`)}
      </ul>
    </section>
  `;
}

function Mistake({ one }) {
  const fields = {
    name: one.name,
    label: one.label,
    predicted: one.predicted,
    percent: percent(one.probability, 0),
  };
  const facts = html`
    <span class="said">
      <${Named} id=${one.predicted_class} name=${one.predicted} />
      <b>${fields.percent}</b>
    </span>
    <span class="truth">${t("mistake_label")} <${Named} id=${one.label_class} name=${one.label} /></span>
  `;
  if (!one.id) {
    return html`<li>
      <span class="frame gone"><${Icon} name="unreadable" />${t("image_gone")}</span>${facts}
    </li>`;
  }
  return html`
    <li>
      <button
        type="button"
        class="frame"
        title=${t("mistake_open")}
        aria-label=${t("mistake_spoken", fields)}
        onClick=${() => go("images", { image: one.id })}
      >
        <${Thumb} src=${thumbUrl(one.id, 256)} />
      </button>
      ${facts}
    </li>
  `;
}

function Named({ id, name }) {
  const found = classOf(id);
  return html`<span class="named">${found && html`<${ClassSign} place=${found.place} />`}${name}</span>`;
}
