/* Room 5, Microscope: networks looked into, from one of six neurons to a trained one. */

import { html } from "../html.js";
import { go, place } from "../place.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { Image } from "./image.js";
import { Network } from "./network.js";
import { Time } from "./time.js";
import { Valley } from "./valley.js";

const PARTS = { network: Network, valley: Valley, image: Image, time: Time };

export function Room() {
  const { part } = useStore(place);
  const shown = part in PARTS ? part : "network";
  const Part = PARTS[shown];
  return html`
    <div class="room micro">
      <nav class="micro-parts" aria-label=${t("micro_parts")}>
        ${Object.keys(PARTS).map(
          (key) => html`
            <button
              type="button"
              aria-current=${key === shown ? "page" : null}
              onClick=${() => choose(key)}
            >
              ${t(`micro_${key}`)}
            </button>
          `,
        )}
      </nav>
      <div class="micro-body" data-part=${shown}><${Part} /></div>
    </div>
  `;
}

/* The run and the image stay chosen from one part to the next. */
function choose(part) {
  const { room, ...fields } = place.get();
  go(room, { ...fields, part });
}
