/* Imports: folders and zips are sent whole; the server says what it makes of them; then they are
   taken, or not. */

import { useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign, Dialog, NameField } from "../parts.js";
import { project, refresh } from "../project.js";
import { say, sayError } from "../say.js";
import { createStore, useStore } from "../store.js";
import { count, megabytes, t } from "../words.js";
import { LeftOut, withLeftOut } from "./left_out.js";

const AT_ONCE = 3; // requests
const PAUSE = 1000; // milliseconds, before a file is sent again
const SHOWN = 30; // lines of a list

/* null, or the id, the phase ("sending", "looking", "seen", "unknown", "finishing", "done" or
   "failed") and what belongs to it. */
const current = createStore(null);

/* Send files, each with its path. All of them are for a class if there is one. */
export async function beginImport(files, classId = null) {
  if (current.get()) {
    say(t("one_import"));
    return;
  }
  const begun = {
    phase: "sending",
    sent: 0,
    files: files.length,
    refused: [],
    leftOut: 0,
    hidden: [],
    class: classId,
  };
  current.set(begun);
  let id;
  try {
    ({ id } = await call("/api/imports", { method: "POST" }));
    if (current.get() !== begun) return forget(id); // it was cancelled meanwhile
    current.change({ id });
    await sendAll(id, files);
    if (isOpen(id)) await look(id);
  } catch (error) {
    fail(error, id);
  }
}

/* Whether an import is the one that is shown: it may have been cancelled during a request. */
const isOpen = (id) => current.get() !== null && current.get().id === id;

function fail(error, id) {
  if (!isOpen(id)) return;
  const text = error instanceof Gone ? t("not_done_gone") : error.message;
  current.change({ phase: "failed", problem: text });
}

async function sendAll(id, files) {
  const waiting = [...files];
  const worker = async () => {
    while (waiting.length && isOpen(id)) {
      const one = waiting.shift();
      await sendOne(id, one);
      if (isOpen(id)) current.change({ sent: current.get().sent + 1 });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function sendOne(id, { file, path }) {
  const isZip = /\.zip$/i.test(file.name);
  const kind = isZip ? "zip?name" : "files?path";
  for (;;) {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      note(id, path, t("file_gone"));
      return;
    }
    try {
      const named = `${kind}=${encodeURIComponent(path)}`;
      leaveOut(id, await call(`/api/imports/${id}/${named}`, { body: file }));
      return;
    } catch (error) {
      if (!(error instanceof Gone)) {
        if (error.status === 507 || error.status === 409 || isZip) throw error;
        note(id, path, error.message);
        return;
      }
    }
    if (!isOpen(id)) return;
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

function leaveOut(id, answer) {
  if (isOpen(id)) current.change(withLeftOut(current.get(), answer));
}

function note(id, name, message) {
  if (isOpen(id)) current.change({ refused: [...current.get().refused, { name, message }] });
}

/* Ask what the server makes of the files that it has. */
async function look(id) {
  current.change({ phase: "looking" });
  const chosen = current.get().class;
  try {
    const seen = await call(`/api/imports/${id}/look`, { json: chosen ? { class: chosen } : {} });
    if (isOpen(id)) current.change({ phase: "seen", seen });
  } catch (error) {
    if (error.status !== 422) throw error;
    if (isOpen(id)) current.change({ phase: "unknown", problem: error.message });
  }
}

async function finish(chosen) {
  const { id, refused } = current.get();
  current.change({ phase: "finishing" });
  try {
    const answer = await call(`/api/imports/${id}/finish`, { json: chosen });
    refresh();
    const all = [...refused, ...answer.refused];
    if (isOpen(id) && (all.length || answer.already)) {
      current.change({ phase: "done", answer, refused: all });
      return;
    }
    if (isOpen(id)) current.set(null);
    say(count("did_import", answer.added), { undo: answer.version });
  } catch (error) {
    fail(error, id);
  }
}

async function drop(id) {
  current.set(null);
  if (id) await forget(id);
}

/* Let the server delete what it has of an import. */
async function forget(id) {
  try {
    await call(`/api/imports/${id}`, { method: "DELETE" });
    refresh();
  } catch (error) {
    sayError(error);
  }
}

/* An import that a closed tab has left, or that goes on in another one. */
export function LeftImports() {
  const now = useStore(current);
  const left = project.get().imports.filter(({ id }) => id !== now?.id);
  if (now && !now.id) return null;
  return left.map(
    ({ id, files, bytes }) => html`
      <div class="notice" key=${id}>
        <p>${count("left_import", files, { size: megabytes(bytes) })}</p>
        <button
          type="button"
          class="button"
          onClick=${() => {
            current.set({ id, phase: "looking", refused: [], leftOut: 0, hidden: [], class: null });
            look(id).catch((error) => fail(error, id));
          }}
        >
          ${t("go_on")}
        </button>
        <button type="button" class="button" onClick=${() => drop(id)}>${t("drop_import")}</button>
      </div>
    `,
  );
}

export function ImportDialog() {
  const now = useStore(current);
  if (!now) return null;
  const close = () => (now.phase === "done" ? current.set(null) : drop(now.id));
  const Phase = { sending: Busy, looking: Busy, finishing: Busy, seen: Seen, unknown: Unknown };
  const Shown = { ...Phase, done: Done, failed: Failed }[now.phase];
  return html`
    <${Dialog} title=${t("import_title")} class="import" onClose=${close}>
      <${Shown} now=${now} close=${close} />
    <//>
  `;
}

const Busy = ({ now, close }) => html`
  <p role="status">
    ${now.phase === "sending"
      ? t("import_sending", { sent: now.sent, files: now.files })
      : t(`import_${now.phase}`)}
  </p>
  <progress
    aria-label=${t("import_title")}
    max=${now.phase === "sending" && now.files > 1 ? now.files : null}
    value=${now.phase === "sending" && now.files > 1 ? now.sent : null}
  />
  <footer><button type="button" class="button" onClick=${close}>${t("cancel")}</button></footer>
`;

function Seen({ now, close }) {
  const { seen } = now;
  return html`
    <p class="lead">
      ${count("images", seen.images)} · ${count("classes_n", seen.classes.length)} · ${seen.kind_text}
    </p>
    <ul class="seen-classes">
      ${seen.classes.slice(0, SHOWN).map(
        ({ name, images }) => html`<li><span>${name}</span><b>${count("images", images)}</b></li>`,
      )}
    </ul>
    ${seen.notes.map((text) => html`<p class="note">${text}</p>`)}
    <${LeftOut} now=${now} />
    <${RefusedFiles} refused=${now.refused} />
    <footer>
      <button type="button" class="button" onClick=${close}>${t("drop_import")}</button>
      <button
        type="button"
        class="button primary"
        onClick=${() => finish(now.class ? { class: now.class } : {})}
      >
        ${count("import_take", seen.images)}
      </button>
    </footer>
  `;
}

function Unknown({ now, close }) {
  const [busy, setBusy] = useState(false);
  const take = (chosen) => {
    setBusy(true);
    finish(chosen);
  };
  return html`
    <p class="problem" role="alert">${now.problem}</p>
    <p>${t("import_one_class")}</p>
    <div class="class-choice">
      ${project.get().classes.map(
        ({ id, name }, place) => html`
          <button type="button" class="button" disabled=${busy} onClick=${() => take({ class: id })}>
            <${ClassSign} place=${place} />${name}
          </button>
        `,
      )}
    </div>
    <${NameField}
      label=${t("new_class")}
      hint=${t("name_hint")}
      button=${t("add")}
      onName=${(name) => take({ class_name: name })}
    />
    <footer><button type="button" class="button" onClick=${close}>${t("drop_import")}</button></footer>
  `;
}

const Done = ({ now, close }) => html`
  <p class="lead" role="status">
    ${count("did_import", now.answer.added)}
    ${now.answer.already > 0 && ` ${count("import_already", now.answer.already)}`}
  </p>
  ${now.answer.notes.map((text) => html`<p class="note">${text}</p>`)}
  <${RefusedFiles} refused=${now.refused} />
  <footer>
    <button type="button" class="button primary" onClick=${close}>${t("close")}</button>
  </footer>
`;

const Failed = ({ now, close }) => html`
  <p class="problem" role="alert">${now.problem}</p>
  <footer>
    <button type="button" class="button" onClick=${close}>${t("drop_import")}</button>
    ${now.id &&
    html`<button type="button" class="button primary" onClick=${() => look(now.id).catch((error) => fail(error, now.id))}>
      ${t("try_again")}
    </button>`}
  </footer>
`;

const RefusedFiles = ({ refused }) =>
  refused.length > 0 &&
  html`
    <details class="refused" open>
      <summary><${Icon} name="warning" />${count("refused", refused.length)}</summary>
      <ul>
        ${refused
          .slice(0, SHOWN)
          .map(({ name, message }) => html`<li><b>${name}</b> ${message}</li>`)}
      </ul>
    </details>
  `;

// What is not taken yet is lost when the page is closed while it is sent.
addEventListener("beforeunload", (event) => {
  if (current.get()?.phase === "sending") event.preventDefault();
});
