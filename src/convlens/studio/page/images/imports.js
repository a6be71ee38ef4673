/* Imports: folders and zips are sent whole; the server says what it makes of them; then they are
   taken, or not. */

import { call, Gone } from "../api.js";
import { refresh, whyTooLarge } from "../project.js";
import { say, sayError } from "../say.js";
import { createStore } from "../store.js";
import { count, t } from "../words.js";
import { withLeftOut } from "./left_out.js";

const AT_ONCE = 3; // requests
const PAUSE = 1000; // milliseconds, before a file is sent again
const FULL = 507; // the status when the disk is full

/* null, or the id, the phase ("sending", "looking", "seen", "unknown", "nothing", "finishing", "done"
   or "failed") and what belongs to it. */
export const current = createStore(null);

let unsent = []; // files of the import that is shown which the server does not have yet

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
    kept: 0,
    hidden: [],
    class: classId,
  };
  current.set(begun);
  unsent = [...files];
  let id;
  try {
    ({ id } = await call("/api/imports", { method: "POST" }));
    if (current.get() !== begun) return forget(id); // it was cancelled meanwhile
    current.change({ id });
  } catch (error) {
    if (current.get() === begun) fail(error);
    return;
  }
  await goOn(id);
}

/* Send what is not sent yet, and ask what the server makes of it; also after something has failed. */
export async function goOn(id) {
  try {
    if (unsent.length) current.change({ phase: "sending" });
    await sendAll(id);
    if (isOpen(id) && current.get().kept === 0) current.change({ phase: "nothing" });
    else if (isOpen(id)) await ask(id);
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

async function sendAll(id) {
  const worker = async () => {
    while (unsent.length && isOpen(id) && current.get().phase === "sending") {
      const one = unsent.shift();
      await sendOne(id, one);
      if (isOpen(id)) current.change({ sent: current.get().sent + 1 });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function sendOne(id, { file, path }) {
  const isZip = /\.zip$/i.test(file.name);
  const kind = isZip ? "zip?name" : "files?path";
  const tooLarge = whyTooLarge(file, isZip);
  if (tooLarge) {
    note(id, path, tooLarge);
    return;
  }
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
        if (error.status === FULL && isOpen(id)) unsent.unshift({ file, path });
        if (error.status === FULL || error.status === 409 || isZip) throw error;
        note(id, path, error.message);
        return;
      }
    }
    if (!isOpen(id)) return;
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

/* Note what the server has of the files so far, and what it leaves out. */
function leaveOut(id, answer) {
  if (isOpen(id)) current.change({ ...withLeftOut(current.get(), answer), kept: answer.files });
}

function note(id, name, message) {
  if (isOpen(id)) current.change({ refused: [...current.get().refused, { name, message }] });
}

async function ask(id) {
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

export async function finish(chosen) {
  const { id, refused, phase } = current.get();
  if (phase === "finishing") return; // a click before the button was gone
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

export async function drop(id) {
  unsent = [];
  current.set(null);
  if (id) await forget(id);
}

/* Let the server delete what it has of an import. */
async function forget(id) {
  try {
    await call(`/api/imports/${id}`, { method: "DELETE" });
    refresh();
  } catch (error) {
    if (error.status !== 409) sayError(error); // then it was added or dropped meanwhile
  }
}

// What is not taken yet is lost when the page is closed while it is sent.
addEventListener("beforeunload", (event) => {
  if (current.get()?.phase === "sending") event.preventDefault();
});
