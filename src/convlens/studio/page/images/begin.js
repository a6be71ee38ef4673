/* Begin: what an empty page says, and the three ways to begin. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { FilesButton, NameField } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { addClass } from "./class_changes.js";
import { takeFiles } from "./drop.js";
import { openTool } from "./tool.js";

/* Files of an input: those of a folder have their path within it. */
const found = (files) =>
  files.map((file) => ({ file, path: file.webkitRelativePath || file.name }));

export function Begin() {
  const { classes } = useStore(project);
  const open = (kind) => (id) => openTool(kind, id);
  return html`
    <section class="begin" aria-labelledby="begin-title">
      <h2 id="begin-title">${t("begin_title")}</h2>
      <p class="lead">${t("begin_text")}</p>
      <div class="ways">
        <${Way} icon="camera" title=${t("way_webcam")} text=${t("way_webcam_text")}>
          <${Start} classes=${classes} button=${t("open_webcam")} open=${open("webcam")} />
        <//>
        <${Way} icon="folder" title=${t("way_files")} text=${t("way_files_text")}>
          <${Choose} />
        <//>
        <${Way} icon="draw" title=${t("way_draw")} text=${t("way_draw_text")}>
          <${Start} classes=${classes} button=${t("open_board")} open=${open("draw")} />
        <//>
      </div>
      <p class="note">${t("begin_note")}</p>
    </section>
  `;
}

const Way = ({ icon, title, text, children }) => html`
  <article class="way">
    <span class="sign"><${Icon} name=${icon} /></span>
    <h3>${title}</h3>
    <p>${text}</p>
    <div class="start">${children}</div>
  </article>
`;

/* A button for the first class; its name is asked for if there is none. */
const Start = ({ classes, button, open }) =>
  classes.length
    ? html`<button type="button" class="button primary" onClick=${() => open(classes[0].id)}>
        ${button}
      </button>`
    : html`<${NameField}
        label=${t("first_class")}
        hint=${t("name_hint")}
        button=${button}
        onName=${(name) => addClass(name, open)}
      />`;

/* The buttons that open folders, files and zips of this computer. */
export const Choose = () => html`
  <div class="buttons">
    <${FilesButton}
      icon="folder"
      label=${t("choose_folder")}
      folder
      onFiles=${(files) => takeFiles(found(files))}
    />
    <${FilesButton}
      icon="files"
      label=${t("choose_files")}
      accept="image/*,.zip,.csv,.npz"
      onFiles=${(files) => takeFiles(found(files))}
    />
  </div>
`;
