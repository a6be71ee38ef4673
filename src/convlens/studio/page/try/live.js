/* Live: one image after the other is answered by the classifier of a run; the newest one wins. */

import { call, Gone } from "../api.js";
import { oneByOne } from "../project.js";
import { say } from "../say.js";
import { createStore } from "../store.js";
import { t } from "../words.js";

const PACE = 50; // milliseconds from one answer to the next request, at least from start to start
const WINDOW = 2000; // milliseconds over which answers are counted
const PAUSE = 1000; // after a failure
const WAIT = 3000; // until the place of another run is asked for again

/* run: its name; status: that of its process; answer: the last one; image: the blob that it is of,
   with its name; source: where images come from; frozen: whether the webcam stands still;
   problem: why there is no answer; halted: why nothing is asked: too many other runs are tried
   ("other"), the run must be opened again ("run"), or it is not there ("gone");
   times: of the last answers. */
const EMPTY = { answer: null, image: null, frozen: false, problem: "", halted: "", times: [] };
export const tried = createStore({ run: "", status: null, source: "webcam", ...EMPTY });

/* Open the classifier of a run; it begins to load. */
export async function openRun(run, { again = false, insist = false } = {}) {
  const { image, frozen, run: before, status } = tried.get();
  if (image) next ??= image; // it is asked about again
  tried.change({ run, status: run === before ? status : null, ...EMPTY, image, frozen });
  try {
    const status = await call("/api/try/open", { json: { run, again, insist } });
    if (tried.get().run !== run) return;
    tried.change({ status, problem: "", halted: "" });
    pump();
    if (status.state === "loading") loadStatus(); // it may be ready by now
  } catch (error) {
    if (tried.get().run === run) fail(error);
  }
}

/* As long as the room is shown, a run that has no place asks for one again and again. */
export function follow() {
  const look = async () => {
    const { halted, run, image } = tried.get();
    if (halted !== "other" || document.hidden) return;
    try {
      const status = await call("/api/try/open", { json: { run } });
      if (tried.get().run !== run) return;
      tried.change({ status, halted: "" }); // what was wrong is said until there is an answer
      if (image) next ??= image;
      else tried.change({ problem: "" });
      pump();
    } catch (error) {
      if (tried.get().run === run) fail(error);
    }
  };
  const timer = setInterval(look, WAIT);
  return () => clearInterval(timer);
}

export const loadStatus = oneByOne(async () => {
  const { run, halted } = tried.get();
  if (halted === "gone") return;
  try {
    const status = await call(`/api/try/status?${new URLSearchParams({ run })}`);
    const { run: now, status: before } = tried.get();
    if (now !== run) return;
    const isOther = before?.stamp && before.stamp !== status.stamp;
    if (isOther && status.state === "loading") say(t("try_reloaded"));
    tried.change({ status });
    // Also when nothing was asked yet.
    if (status.state === "failed") tried.change({ problem: status.message, halted: "run" });
  } catch (error) {
    if (!(error instanceof Gone) && tried.get().run === run) fail(error);
  }
});

let newest = null; // the image that was given last
let next = null; // the image that is asked about next
let asking = null;
let chosen = 0; // times that a source was chosen, or its images were forgotten

/* Ask about an image, unless a newer one comes before its turn. Return when it is answered. */
export function ask(blob, name) {
  newest = { blob, name };
  next = newest;
  return pump();
}

export const newestImage = () => newest;

function pump() {
  asking ??= loop().finally(() => {
    asking = null;
  });
  return asking;
}

async function loop() {
  while (next && !tried.get().halted) {
    const image = next;
    next = null;
    await askOnce(image);
  }
}

async function askOnce(image) {
  const { run } = tried.get();
  const before = chosen;
  const isOver = () => tried.get().run !== run || chosen !== before;
  const query = new URLSearchParams({ run, name: image.name });
  try {
    const answer = await call(`/api/try?${query}`, { body: image.blob });
    if (isOver()) return;
    const now = performance.now();
    const times = [...tried.get().times.filter((time) => now - time < WINDOW), now];
    tried.change({ answer, image, times, problem: "", halted: "" });
  } catch (error) {
    if (isOver()) return;
    tried.change({ answer: null, image });
    fail(error);
    if (error.status === 422) return; // the next image may be another one
    await new Promise((done) => setTimeout(done, PAUSE));
    if (!isOver() && !tried.get().halted) next ??= image;
  }
}

/* Say what went wrong. What lasts until somebody does something stops the questions. */
function fail(error) {
  if (error.name === "AbortError") return;
  if (error.status === 404) {
    const problem = t("try_run_gone", { name: tried.get().run });
    tried.change({ answer: null, problem, halted: "gone" });
    return;
  }
  const lasts = ["run", "other"].includes(error.field) ? error.field : "";
  tried.change({ problem: error instanceof Gone ? "" : error.message, halted: lasts });
}

/* Look through a camera until the function that is returned is called.

   `grab` gives a blob of what it shows now, or null. */
export function look(grab) {
  let ended = false;
  const step = async () => {
    const { frozen, halted } = tried.get();
    if (frozen || halted || document.hidden) return;
    const blob = await grab();
    if (blob && !ended && !tried.get().frozen) await ask(blob, "webcam.jpg");
  };
  const run = async () => {
    while (!ended) {
      const begin = performance.now();
      await step();
      const left = PACE - (performance.now() - begin);
      await new Promise((done) => setTimeout(done, Math.max(0, left)));
    }
  };
  run();
  return () => {
    ended = true;
  };
}

/* Choose where images come from; what was answered before is forgotten. What stops all questions
   stays, with its line. */
export function choose(source) {
  const { halted, problem } = tried.get();
  next = null;
  chosen += 1;
  tried.change({ source, ...EMPTY, halted, problem: halted ? problem : "" });
}

export function freeze(frozen) {
  tried.change({ frozen, times: [] });
}

/* Whether the image of the last answer stays, so that it can be explained. */
export const isStill = ({ source, frozen, image }) => image && (source !== "webcam" || frozen);

export const rate = ({ times }) =>
  times.length < 3 ? 0 : (1000 * (times.length - 1)) / (times.at(-1) - times[0]);
