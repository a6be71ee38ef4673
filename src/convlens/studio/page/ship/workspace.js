/* Workspace: all of it as one zip, and a zip as a workspace beside this one. */

import { useEffect, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { FilesButton, useOnce } from "../parts.js";
import { onChange, oneByOne } from "../project.js";
import { createStore, useStore } from "../store.js";
import { count, t } from "../words.js";
import { bytes } from "./numbers.js";
import { download } from "./ship.js";

export function Workspace() {
  const [plan, setPlan] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const load = oneByOne(() =>
      call("/api/ship/workspace")
        .then(setPlan)
        .catch((error) => error instanceof Gone || setProblem(error.message)),
    );
    load();
    return onChange(load);
  }, []);
  const save = useOnce(async () => setProblem(await download("/api/ship/workspace/zip")));
  return html`
    <section class="panel" aria-labelledby="workspace-title">
      <h2 id="workspace-title"><${Icon} name="zip" />${t("zip_title")}</h2>
      <p>${t("zip_about")}</p>
      ${plan && html`<p class="zip-size"><b>${bytes(plan.bytes)}</b> ${count("ship_files", plan.files)}</p>`}
      ${plan?.left_out.length > 0 &&
      html`<div class="left-out-list">
        <p>${t("zip_left_out")}</p>
        <ul>
          ${plan.left_out.slice(0, 8).map((line) => html`<li>${line}</li>`)}
        </ul>
      </div>`}
      <div class="buttons">
        <button type="button" class="button primary" disabled=${!plan} onClick=${save}>
          <${Icon} name="download" />${t("zip_save")}
        </button>
      </div>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <p class="note">${t("zip_secrets")}</p>
      <hr />
      <${Open} />
    </section>
  `;
}

/* What became of the zip that was opened last. It stays when one leaves the room while it is sent. */
const opened = createStore({ kind: "none" });

function Open() {
  const state = useStore(opened);
  const open = async ([file]) => {
    opened.set({ kind: "sending", name: file.name });
    try {
      const path = `/api/ship/open?name=${encodeURIComponent(file.name)}`;
      opened.set({ kind: "done", ...(await call(path, { body: file })) });
    } catch (error) {
      opened.set({ kind: "failed", message: error instanceof Gone ? t("zip_gone") : error.message });
    }
  };
  const isSending = state.kind === "sending";
  return html`
    <h3>${t("open_title")}</h3>
    <p>${t("open_about")}</p>
    <div class="buttons" inert=${isSending}>
      <${FilesButton} label=${t("open_choose")} icon="zip" accept=".zip" onFiles=${open} />
    </div>
    <div role="status">
      ${isSending && html`<p>${t("open_sending", { name: state.name })}</p><progress></progress>`}
      ${state.kind === "done" &&
      html`<p class="good"><${Icon} name="check" />${t("open_done", { folder: state.folder })}</p>
        ${state.source && html`<p class="note">${t("open_source", { source: state.source })}</p>`}
        <div class="command"><${Copyable} label=${t("open_command")} text=${state.command} /></div>`}
    </div>
    ${state.kind === "failed" && html`<p class="problem" role="alert">${state.message}</p>`}
  `;
}
