/* Image: the product's microscope, on an image that was just taken. */

import { pageUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { t } from "../words.js";
import { Framed } from "./framed.js";
import { Busy, missing, Subject, useSubject } from "./subject.js";
import { stopWork, useStatus, useWork } from "./work.js";

export function Image() {
  const subject = useSubject();
  const { ready, run, image } = subject;
  const lacks = missing(subject);
  const json = lacks ? null : { run: run.name, image: image.id };
  const { answer, problem, again } = useWork("/api/microscope/page", json);
  const status = useStatus();
  const lead = html`
    <h2>${t("image_title")}</h2>
    <p class="note">${t("image_about")}</p>
  `;
  return html`
    <div class="looking">
      ${ready && html`<${Subject} ready=${ready} run=${run} image=${image} lead=${lead} />`}
      <section class="looked-at" aria-label=${t("micro_image")}>
        ${lacks ??
        (problem
          ? html`<${Failed} problem=${problem} again=${again} />`
          : answer
            ? html`<${Framed} key=${answer.page} title=${t("micro_image")} src=${pageUrl(answer.page)} />`
            : html`<${Busy} status=${status} stop=${stopWork} />`)}
      </section>
    </div>
  `;
}

export const Failed = ({ problem, again }) => html`
  <div class="failed-look" role="alert">
    <p class="problem"><${Icon} name="error" />${problem}</p>
    <button type="button" class="button" onClick=${again}>${t("try_again")}</button>
  </div>
`;
