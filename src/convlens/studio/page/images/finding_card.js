/* Finding card: the images of one finding side by side, and what is proposed. */

import { useEffect, useState } from "preact/hooks";
import { call, connection, differenceUrl, thumbUrl, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign, IconButton } from "../parts.js";
import { classOf, project } from "../project.js";
import { useStore } from "../store.js";
import { language, count, t } from "../words.js";
import { exclude, relabel, restore } from "./actions.js";
import { openDetails } from "./details.js";
import { list } from "./list.js";
import { choose } from "./selection.js";
import { Thumb } from "./thumb.js";

export function FindingCard({ one, stamp, apply }) {
  const todo = one.proposals.filter(({ action }) => action !== "look");
  const done = (todo.length > 0 && todo.every((proposal) => proposal.done)) || one.choices.agreed;
  return html`
    <article class="card ${one.layout} ${one.level}" data-done=${done} aria-label=${one.text}>
      ${one.layout === "pair" ? html`<${Pairs} one=${one} stamp=${stamp} />` : html`<${Gallery} one=${one} />`}
      <p class="text">${one.text}</p>
      ${one.rule &&
      html`<p class="rule">${one.rule}</p>
        <ul class="rules">
          ${one.rules.map((rule) => html`<li>${rule}</li>`)}
        </ul>`}
      ${!one.rule &&
      one.facts.length > 0 &&
      html`<dl class="facts">
        ${one.facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      </dl>`}
      <footer>
        <ul class="proposals">
          ${one.proposals.map((proposal) => html`<li>${proposed(proposal)}</li>`)}
          ${one.proposals.length === 0 && html`<li>${one.action_text}</li>`}
        </ul>
        ${!done &&
        one.choices.classes.map((id) => {
          const found = classOf(id);
          return found && html`<${LabelButton} key=${id} id=${id} name=${found.name} images=${one.choices.images} />`;
        })}
        ${done
          ? html`<span class="applied"><${Icon} name="check" />${t("applied")}</span>`
          : todo.length > 0 &&
            html`<button type="button" class="button primary" onClick=${() => apply({ finding: one.number })}>
              <${Icon} name="check" />${t("apply")}
            </button>`}
      </footer>
    </article>
  `;
}

const LabelButton = ({ id, name, images }) => html`
  <button type="button" class="button" onClick=${() => relabel(images, id)}>
    ${t("choose_label", { label: name })}
  </button>
`;

/* Return a proposal as a sentence. */
function proposed({ action, image, name, class: to, value, note }) {
  const label = (to && classOf(to)?.name) || value;
  const text = t(`proposed_${action}`, { name, label });
  const opens = action === "look" && list.get().places.has(image);
  const said = opens ? html`<button type="button" class="link" onClick=${() => show(image)}>${text}</button>` : text;
  return html`${said}${note && html` <span class="advice">(${note})</span>`}`;
}

const labelOf = ({ label }) => classOf(project.get().classes[label]?.id);

/* The first image beside each other one, with their difference. */
const Pairs = ({ one: { number, images, more }, stamp }) => html`
  ${images.slice(1).map(
    (other, index) => html`
      <div class="row" key=${other.id}>
        ${index === 0 ? html`<${Shown} image=${images[0]} />` : html`<span></span>`}
        <${Shown} image=${other} />
        <${Difference} number=${number} stamp=${stamp} place=${index + 1} />
      </div>
    `,
  )}
  ${more > 0 && html`<p class="note">${count("more_images", more)}</p>`}
`;

const Gallery = ({ one: { images, more } }) => html`
  <div class="row">${images.map((image) => html`<${Shown} key=${image.id} image=${image} />`)}</div>
  ${more > 0 && html`<p class="note">${count("more_images", more)}</p>`}
`;

/* Show the details of an image. */
function show(id) {
  const place = list.get().places.get(id);
  if (place === undefined) return;
  choose(place);
  openDetails();
}

/* One image with its class; a click shows its details, and a button leaves it out. */
function Shown({ image }) {
  const label = labelOf(image);
  const excluded = Boolean(image.excluded);
  return html`
    <figure data-excluded=${excluded}>
      ${image.gone
        ? html`<span class="frame gone">${t("image_gone")}</span>`
        : html`<button type="button" class="frame" aria-label=${t("details_of", { name: image.name })} onClick=${() => show(image.id)}>
            <${Thumb} src=${thumbUrl(image.id, 256)} />
            ${excluded && html`<span class="mark"><${Icon} name="exclude" /></span>`}
          </button>`}
      <figcaption>
        <span class="caption">
          ${label && html`<${ClassSign} place=${label.place} /><span class="label">${label.name}</span>`}
          ${!image.gone &&
          html`<${IconButton}
            icon=${excluded ? "restore" : "exclude"}
            label=${t(excluded ? "restore_name" : "exclude_name", { name: image.name })}
            onClick=${() => (excluded ? restore([image.id]) : exclude([image.id]))}
          />`}
        </span>
        <span class="file">${image.name}</span>
      </figcaption>
    </figure>
  `;
}

/* How two images differ, as a picture and a sentence. */
function Difference({ number, stamp, place }) {
  const { times } = useStore(connection);
  const [text, setText] = useState("");
  const words = language.get();
  useEffect(() => {
    const stop = new AbortController();
    call(`/api/findings/${number}/difference/${place}`, { signal: stop.signal })
      .then((said) => setText(said.text))
      .catch((error) => {
        if (error.name !== "AbortError" && !(error instanceof Gone)) setText(error.message);
      });
    return () => stop.abort();
  }, [number, place, words, times]);
  return html`
    <figure class="difference">
      <span class="frame">
        <${Thumb}
          src=${differenceUrl(number, place, stamp)}
          alt=${t("difference")}
          sign=${html`<span class="gone">${t("no_difference")}</span>`}
        />
      </span>
      <figcaption>
        <span class="caption">${t("difference")}</span>
        <span class="file">${text}</span>
      </figcaption>
    </figure>
  `;
}
