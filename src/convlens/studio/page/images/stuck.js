/* Stuck: new images that the server did not take, so that none is lost without a word. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { IconButton } from "../parts.js";
import { project } from "../project.js";
import { discardStuck, forgetRefused, queue, sendStuck } from "../queue.js";
import { useStore } from "../store.js";
import { count, sentences, t } from "../words.js";
import { ClassChoice } from "./class_choice.js";
import { RefusedNames } from "./refused.js";

/* What the server did not take for a class, and why. */
export const Refused = ({ id }) => html`
  <${RefusedList} refused=${useStore(queue).refused.filter((one) => one.class === id)} />
`;

/* Likewise for classes that are gone, and the images that wait for another class. */
export function Stuck() {
  const { stuck, refused } = useStore(queue);
  const { classes } = useStore(project);
  const isGone = (one) => !classes.some(({ id }) => id === one.class);
  return html`
    <${RefusedList} refused=${refused.filter(isGone)} />
    ${stuck.length > 0 && html`<${AskAgain} stuck=${stuck} />`}
  `;
}

function RefusedList({ refused }) {
  if (!refused.length) return null;
  return html`
    <div class="refused" role="alert">
      <p>
        <${Icon} name="warning" />${count("refused", refused.length)}
        <${IconButton} icon="close" label=${t("close")} onClick=${forgetRefused} />
      </p>
      <${RefusedNames} refused=${refused} most=${20} />
    </div>
  `;
}

/* Ask for the class of images whose class is gone, or which the server could not save. */
function AskAgain({ stuck }) {
  const why = sentences(...new Set(stuck.map(({ message }) => message)));
  const take = (id) => {
    for (const image of stuck) image.class = id;
    sendStuck(stuck);
  };
  return html`
    <div class="notice stuck" role="alert">
      <p>${sentences(count("stuck", stuck.length), why)}</p>
      <${ClassChoice} onTake=${take} />
      <button type="button" class="button" onClick=${discardStuck}>
        <${Icon} name="trash" />${count("discard", stuck.length)}
      </button>
    </div>
  `;
}
