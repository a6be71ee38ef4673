/* Maker: the webcam or the board, with the class that gets the images. */

import { html } from "../html.js";
import { ClassSign, IconButton, NameField } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { addClass } from "./class_changes.js";
import { Draw } from "./draw.js";
import { closeTool, openTool, tool } from "./tool.js";
import { Webcam } from "./webcam.js";

const TOOLS = { webcam: Webcam, draw: Draw };

export function Maker() {
  const open = useStore(tool);
  const { classes } = useStore(project);
  if (!open) return null;
  const Tool = TOOLS[open.kind];
  const choose = (id) => openTool(open.kind, id);
  const onKeyDown = (event) => {
    const chosen = /^[1-9]$/.test(event.key) && classes[Number(event.key) - 1];
    if (chosen && !event.target.closest("input, select")) choose(chosen.id);
    if (event.key === "Escape" && !event.defaultPrevented) closeTool();
  };
  return html`
    <section class="maker" data-tool=${open.kind} aria-label=${t(open.kind)} onKeyDown=${onKeyDown}>
      <header>
        <fieldset class="class-chips">
          <legend>${t("into_class")}</legend>
          ${classes.map(
            ({ id, name, images }, place) => html`
              <label class="chip" key=${id}>
                <input
                  type="radio"
                  name="maker-class"
                  checked=${id === open.class}
                  onChange=${() => choose(id)}
                />
                <${ClassSign} place=${place} /><span>${name}</span><b>${images}</b>
              </label>
            `,
          )}
        </fieldset>
        <${NameField}
          label=${t("new_class")}
          hint=${t("name_hint")}
          button=${t("add")}
          icon="plus"
          onName=${(name) => addClass(name, choose)}
        />
        <${IconButton} icon="close" label=${t("close")} onClick=${closeTool} />
      </header>
      <div class="maker-body"><${Tool} classId=${open.class} /></div>
    </section>
  `;
}
