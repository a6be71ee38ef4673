/* Class choice: a button for each class, and a field for a new one. */

import { html } from "../html.js";
import { ClassSign, NameField } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { addClass } from "./class_changes.js";

/* Call `onTake` with the id of the class that somebody chooses or makes. */
export function ClassChoice({ onTake }) {
  const { classes } = useStore(project);
  return html`
    <div class="class-choice">
      ${classes.map(
        ({ id, name }, place) => html`
          <button type="button" class="button" key=${id} onClick=${() => onTake(id)}>
            <${ClassSign} place=${place} />${name}
          </button>
        `,
      )}
    </div>
    <${NameField}
      label=${t("new_class")}
      hint=${t("name_hint")}
      button=${t("add")}
      onName=${(name) => addClass(name, onTake)}
    />
  `;
}
