/* Classes: their list, with what is done with each of them. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign, Dialog, FilesButton, IconButton, Menu, NameField, useOnce } from "../parts.js";
import { change, inTurn, project, refresh } from "../project.js";
import { say, sayError } from "../say.js";
import { useStore } from "../store.js";
import { count, t } from "../words.js";
import { addClass, named, renameClass } from "./class_changes.js";
import { takeFiles } from "./drop.js";
import { filter, filters } from "./list.js";
import { Refused } from "./stuck.js";
import { openTool, pane, tool } from "./tool.js";

export function Classes() {
  const { classes, may_add: mayAdd } = useStore(project);
  const chosen = useStore(filters).class;
  useStore(tool);
  return html`
    <section class="classes" aria-labelledby="classes-title">
      <h2 id="classes-title">${t("classes")}</h2>
      <ol>
        ${classes.map(
          (one, place) => html`
            <${ClassCard}
              key=${one.id}
              one=${one}
              place=${place}
              mayAdd=${mayAdd}
              chosen=${chosen === one.id}
            />
          `,
        )}
      </ol>
      ${mayAdd &&
      html`<${NameField}
        label=${t("new_class")}
        hint=${t("name_hint")}
        button=${t("add")}
        icon="plus"
        onName=${addClass}
      />`}
      <${Trash} />
    </section>
  `;
}

function ClassCard({ one, place, mayAdd, chosen }) {
  const [renaming, setRenaming] = useState(false);
  const [removing, setRemoving] = useState(null);
  const button = useRef(null);
  const open = tool.get();
  useLayoutEffect(() => {
    if (renaming || named.get() !== one.id) return;
    named.set(null);
    if (document.activeElement === document.body) button.current.focus(); // or else somebody has gone on
  });
  const rename = async (name) => {
    const wrong = await renameClass(one.id, name);
    if (!wrong) setRenaming(false);
    return wrong;
  };
  const remove = async () => {
    try {
      await inTurn(() => call(`/api/classes/${one.id}`, { method: "DELETE" }));
      refresh();
    } catch (error) {
      if (error.status === 409 && error.answer.images) setRemoving(error.answer);
      else if (error instanceof Gone) say(t("not_done_gone"));
      else sayError(error);
    }
  };
  if (renaming) {
    return html`<li class="class-card">
      <${NameField}
        label=${t("rename_class", { name: one.name })}
        value=${one.name}
        button=${t("rename")}
        focus
        onName=${rename}
        onCancel=${() => {
          named.set(one.id);
          setRenaming(false);
        }}
      />
    </li>`;
  }
  return html`
    <li class="class-card" data-drop-class=${mayAdd ? one.id : null} data-tool=${open?.class === one.id}>
      <button
        type="button"
        ref=${button}
        class="class-name"
        aria-pressed=${chosen}
        title=${t("show_only", { name: one.name })}
        onClick=${() => {
          filter({ class: chosen ? "" : one.id });
          pane.set("images");
        }}
      >
        <${ClassSign} place=${place} />
        <span class="name">${one.name}</span>
        <span class="number">${count("images", one.images)}</span>
      </button>
      ${mayAdd && html`<${ClassTools} one=${one} rename=${() => setRenaming(true)} remove=${remove} />`}
      <${Refused} id=${one.id} />
      ${removing &&
      html`<${RemoveDialog} one=${one} said=${removing} onClose=${() => setRemoving(null)} />`}
    </li>
  `;
}

const ClassTools = ({ one, rename, remove }) => html`
  <div class="class-tools">
    <${IconButton}
      icon="camera"
      label=${t("webcam_for", { name: one.name })}
      onClick=${() => openTool("webcam", one.id)}
    />
    <${IconButton}
      icon="draw"
      label=${t("draw_for", { name: one.name })}
      onClick=${() => openTool("draw", one.id)}
    />
    <${FilesButton}
      icon="files"
      class="icon-button"
      iconOnly
      label=${t("files_for", { name: one.name })}
      accept="image/*,.zip"
      onFiles=${(files) => takeFiles(files.map((file) => ({ file, path: file.name })), one.id)}
    />
    <${Menu}
      label=${t("more_for", { name: one.name })}
      actions=${[
        { text: t("rename"), icon: "pencil", act: rename },
        { text: t("remove_class"), icon: "trash", act: remove },
      ]}
    />
  </div>
`;

function RemoveDialog({ one, said, onClose }) {
  const remove = useOnce(async () => {
    const path = `/api/classes/${one.id}?images=${said.images}`;
    const answer = await change(path, { method: "DELETE" });
    onClose();
    if (answer) say(t("did_remove_class", { name: one.name }), { undo: answer.version });
  });
  return html`
    <${Dialog} title=${t("remove_class_title", { name: one.name })} onClose=${onClose}>
      <p>${count("remove_class_text", said.images)}</p>
      <footer>
        <button type="button" class="button" onClick=${onClose}>${t("cancel")}</button>
        <button type="button" class="button danger" onClick=${remove}>
          <${Icon} name="trash" />${count("remove_class_button", said.images)}
        </button>
      </footer>
    <//>
  `;
}

/* The images that were removed; they are deleted for good only after a question. */
function Trash() {
  const { images } = project.get().trash;
  const [asking, setAsking] = useState(false);
  const empty = useOnce(async () => {
    const answer = await change(`/api/trash/empty?images=${images}`, {}); // as many as the question says
    setAsking(false);
    if (answer) say(count("did_empty_trash", answer.images));
  });
  if (!images) return null;
  return html`
    <p class="trash">
      <${Icon} name="trash" />${count("in_trash", images)}
      <button type="button" class="link" onClick=${() => setAsking(true)}>${t("empty_trash")}</button>
    </p>
    ${asking &&
    html`<${Dialog} title=${t("empty_trash_title")} onClose=${() => setAsking(false)}>
      <p>${count("empty_trash_text", images)}</p>
      <footer>
        <button type="button" class="button" onClick=${() => setAsking(false)}>${t("cancel")}</button>
        <button type="button" class="button danger" onClick=${empty}>${t("delete_for_good")}</button>
      </footer>
    <//>`}
  `;
}
