/* Class choice: a button for each class, and a field for a new one. */

import { html } from "../html.js";
import { ClassSign, NameField } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { addClass } from "./class_changes.js";

/* Call `onTake` with the id of the class that somebody chooses, and `onName` with the name of a new
   one; without `onName` it is made, and `onTake` gets its id. */
export function ClassChoice({ onTake, onName = (name) => addClass(name, onTake), disabled = false }) {
  const { classes } = useStore(project);
  return html`
    <div class="class-choice">
      ${classes.map(
        ({ id, name }, place) => html`
          <button type="button" class="button" key=${id} disabled=${disabled} onClick=${() => onTake(id)}>
            <${ClassSign} place=${place} />${name}
          </button>
        `,
      )}
    </div>
    <${NameField}
      label=${t("new_class")}
      hint=${t("name_hint")}
      button=${t("add")}
      onName=${onName}
    />
  `;
}
