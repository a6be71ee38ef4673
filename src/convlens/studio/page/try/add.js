/* Add: the image that is tried becomes one of the training images of a class. */

import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { addClass } from "../images/class_changes.js";
import { ClassChoice } from "../images/class_choice.js";
import { classOf, project } from "../project.js";
import { enqueue, newGroup, newName } from "../queue.js";
import { say } from "../say.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { newestImage } from "./live.js";

const DOUBLE_CLICK = 600; // milliseconds in which a second click on a class adds nothing

/* A name of its own for what comes from the webcam or the board; a file keeps its own. */
function nameOf({ name }, source) {
  if (source === "webcam") return newName("webcam", "jpg");
  if (source === "board") return newName("drawing", "png");
  return name;
}

export function Add({ image, source }) {
  const { may_add: mayAdd } = useStore(project);
  const last = useRef({}); // the class to which something was added last, and when
  if (!mayAdd) return null;
  const shownNow = () => (source === "board" ? newestImage() : image); // ahead of its answers
  const take = (id, shown = shownNow()) => {
    const now = Date.now();
    if (last.current.id === id && now - last.current.at < DOUBLE_CLICK) return;
    last.current = { id, at: now };
    enqueue([{ blob: shown.blob, name: nameOf(shown, source), class: id, group: newGroup() }]);
    say(t("try_added", { name: classOf(id)?.name ?? "" }));
  };
  const takeAsNew = (name) => {
    const shown = shownNow(); // another one may be shown when the class is made
    return addClass(name, (id) => take(id, shown));
  };
  return html`
    <section class="add" aria-label=${t("try_add")}>
      <header><h2>${t("try_add")}</h2></header>
      <p class="note">${t("try_add_text")}</p>
      <${ClassChoice} onTake=${take} onName=${takeAsNew} />
    </section>
  `;
}
