/* Near: the training images that are nearest to the image in the features of the network. */

import { thumbUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Thumb } from "../images/thumb.js";
import { ClassSign } from "../parts.js";
import { go } from "../place.js";
import { useStore } from "../store.js";
import { count, fixed, sentences, t } from "../words.js";
import { placeOf } from "./answer.js";
import { tried } from "./live.js";
import { Awaited, useAnswer } from "./why.js";

const SIDE = 256; // pixels of the small images

export function Near({ image }) {
  const { answer, problem, waiting } = useAnswer("/api/try/neighbours", image, {});
  return html`
    <section class="near" aria-label=${t("try_near")} aria-busy=${waiting}>
      <header><h2>${t("try_near")}</h2></header>
      ${waiting && html`<${Awaited} text=${t("try_near_waits")} />`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${answer && html`<${Rows} answer=${answer} />`}
    </section>
  `;
}

function Rows({ answer }) {
  const { rows, compared, changed, seconds } = answer;
  const taken = t("try_seconds", { seconds: fixed(seconds, 1) });
  return html`
    <ol class="neighbours" aria-live="polite">
      ${rows.map((row) => html`<${Row} key=${row.name} row=${row} />`)}
    </ol>
    <p class="note">${sentences(t("try_near_text"), count("try_compared", compared), taken)}</p>
    ${changed && html`<p class="note"><${Icon} name="note" />${t("try_changed")}</p>`}
  `;
}

function Row({ row }) {
  const { status } = useStore(tried);
  const source = row.id ? thumbUrl(row.id, SIDE) : row.source;
  const picture = html`
    <span class="frame" data-small=${!row.id && row.is_small}><${Thumb} src=${source} alt=${row.name} /></span>
  `;
  return html`
    <li>
      ${row.id
        ? html`<button
            type="button"
            aria-label=${t("try_open_image", { name: row.name })}
            title=${t("try_open_image", { name: row.name })}
            onClick=${() => go("images", { image: row.id })}
          >
            ${picture}
          </button>`
        : picture}
      <p class="of">
        <${ClassSign} place=${placeOf(row.label, status?.class_names ?? [])} /><b>${row.label}</b>
        <span class="cosine">${fixed(row.similarity, 3)}</span>
      </p>
      <p class="note" data-far=${row.is_far}>${row.said}</p>
      ${row.doubt && html`<p class="note doubt"><${Icon} name="warning" />${t("try_doubt", { label: row.doubt })}</p>`}
    </li>
  `;
}
