/* Project: what the server knows of the workspace, kept fresh, and what changes it. */

import { call, connection, Gone, setImageKey } from "./api.js";
import { say, sayError } from "./say.js";
import { createStore } from "./store.js";
import { language, megabytes, t } from "./words.js";

const MANY = 5000; // images, from which on the list is loaded more rarely

export const project = createStore(null); // the answer of /api/state
const loaders = new Set(); // what else is loaded when the version is another one

/* Let a function load what it shows whenever the workspace has changed. */
export function onChange(loader) {
  loaders.add(loader);
  return () => loaders.delete(loader);
}

const listeners = new Set(); // what is loaded at each piece of progress

/* Let a function be called whenever the audit or a training has made progress. */
export function onProgress(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/* Return a function that loads something with one request at a time.

   Two answers may come in another order than their requests, and the older one would stay. Calls
   that come while a request is under way are answered together, by one more request after it and
   after `rest`. */
export function oneByOne(load, rest = () => undefined) {
  let running = null;
  let isWanted = false;
  const run = async () => {
    try {
      while (isWanted) {
        isWanted = false;
        await load();
        if (isWanted) await rest();
      }
    } finally {
      running = null;
    }
  };
  return () => {
    isWanted = true;
    running ??= run();
    return running;
  };
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/* Load the state and all that depends on it. */
export const refresh = oneByOne(
  async () => {
    try {
      take(await call("/api/state"));
      // All is asked for in the same moment, before the new state is drawn.
      await Promise.all([...loaders].map((load) => load()));
    } catch (error) {
      sayError(error);
    }
  },
  () => pause(project.get()?.total > MANY ? 1000 : 150),
);

export async function loadState() {
  take(await call("/api/state"));
}

/* Show a state, unless a newer one is known: its answer may have come late. */
function take(state) {
  const now = project.get();
  setImageKey(state.image_key);
  if (now?.session !== state.session || now.version <= state.version) project.set(state);
}

let poll = null;

/* Follow the server for as long as the page is open, after the first `refresh`.

   A browser opens six connections to a server for all its tabs together. A tab that nobody sees
   keeps none of them. */
export async function follow() {
  document.addEventListener("visibilitychange", () => poll?.abort());
  language.follow(refresh); // its messages come in the language of the request
  for (;;) {
    if (document.hidden) {
      await new Promise((seen) =>
        document.addEventListener("visibilitychange", seen, { once: true }),
      );
      if (!document.hidden) await refresh();
      continue;
    }
    await askOnce();
  }
}

async function askOnce() {
  // A server that has come back, or was never gone, answers at once to somebody who knows nothing.
  const known = connection.get().state === "fine" ? project.get() : null;
  poll = new AbortController();
  try {
    const since = known ? `since=${known.version}&told=${known.told}` : "since=0&told=0";
    const said = await call(`/api/changes?${since}`, { signal: poll.signal });
    const now = project.get();
    const isSame = now && said.session === now.session && said.version === now.version;
    if (!isSame || said.audit.state !== now.audit.state) await refresh();
    else {
      project.set({ ...now, audit: said.audit, told: said.told });
      for (const tell of listeners) tell();
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Gone)) sayError(error);
    await pause(1000);
  }
}

let last = Promise.resolve(); // the change that was asked for last
let underWay = 0; // changes that were asked for and have no answer
let refused = 0; // changes that were not done

/* Do something after all changes that were asked for before.

   A browser sends requests side by side: the undo of a change could arrive before that change, and
   would take back the one before it. */
export function inTurn(act) {
  underWay += 1;
  const done = last.then(act).finally(() => {
    underWay -= 1;
  });
  last = done.catch(() => {
    refused += 1; // who has asked for it is told
  });
  return done;
}

/* Ask for a change, and load what it has changed. Return the answer, or null if it was refused or,
   when its turn came, no longer wanted. */
export async function change(path, request, isWanted = () => true) {
  try {
    const act = () => (isWanted() ? call(path, { method: "POST", ...request }) : null);
    const answer = await inTurn(act);
    if (!answer) return null;
    if ("undo" in answer) project.change({ undo: answer.undo, redo: answer.redo });
    if (answer.version !== project.get()?.version) refresh();
    return answer;
  } catch (error) {
    if (error instanceof Gone) say(t("not_done_gone"));
    else sayError(error);
    if (error.status === 409) refresh();
    return null;
  }
}

export const undo = () => goBack("undo");
export const redo = () => goBack("redo");

/* Somebody takes back the change that they see. If the server refuses that one meanwhile, nothing is
   taken back: it would be the change before. */
async function goBack(way) {
  if (!project.get()?.[way] && !underWay) return;
  const before = refused;
  const answer = await change(`/api/${way}`, {}, () => refused === before);
  if (answer) say(answer.text);
}

/* Return why the server does not take a file, for its size, or nothing. */
export function whyTooLarge(file, isZip = false) {
  const { limits } = project.get();
  const most = isZip ? limits.zip_bytes : limits.image_bytes;
  return file.size > most ? t("file_large", { most: megabytes(most) }) : "";
}

/* Return the class of an id, with its place among the classes, or null. */
export function classOf(id) {
  const place = project.get().classes.findIndex((one) => one.id === id);
  return place < 0 ? null : { ...project.get().classes[place], place };
}

// After the server was started anew, everything is loaded again. Whether one that has not answered is
// gone, the next question shows; the one that waits for a change might not be answered for long.
connection.follow(({ state }) => {
  if (state === "gone") poll?.abort();
  if (state === "fine" && project.get()) refresh();
});
