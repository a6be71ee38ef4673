/* Runs: the trainings of the workspace, kept fresh for as long as a room shows them. */

import { useEffect } from "preact/hooks";
import { call, Gone } from "./api.js";
import { place } from "./place.js";
import { onChange, oneByOne, onProgress } from "./project.js";
import { say, sayError } from "./say.js";
import { createStore, useStore } from "./store.js";
import { listed, t } from "./words.js";

export const runs = createStore(null); // null until they are loaded; the newest first

const loadRuns = oneByOne(async () => {
  try {
    const now = (await call("/api/runs")).runs;
    sayGone(runs.get() ?? [], now);
    runs.set(now);
  } catch (error) {
    if (!(error instanceof Gone)) sayError(error);
  }
});

/* Say which classifiers were removed, since a room that has shown one goes on with another. The
   room Train says it of all runs itself. */
function sayGone(before, now) {
  if (place.get().room === "train") return;
  const names = before
    .filter((run) => run.has_classifier && !now.some(({ name }) => name === run.name))
    .map(({ name }) => name);
  if (names.length) say(t("runs_gone", { names: listed(names) }));
}

/* Return the trainings; null until they are loaded. */
export function useRuns() {
  useEffect(() => {
    loadRuns();
    const leave = [onChange(loadRuns), onProgress(loadRuns)];
    return () => leave.forEach((end) => end());
  }, []);
  return useStore(runs);
}

let last = ""; // the run that a room has shown last

place.follow(({ run }) => {
  if (run) last = run;
});
if (place.get().run) last = place.get().run;

/* Return the run with which a room begins that was not asked for one: the one that another room
   has just shown, else the newest finished one, else the newest one; undefined without any. */
export function firstOf(ready) {
  const isFinished = ({ state }) => state === "finished";
  return ready.find(({ name }) => name === last) ?? ready.find(isFinished) ?? ready[0];
}

/* What a choice shows of a run, so that one sees when another one is better. */
export const described = ({ name, network, accuracy }) =>
  [name, network !== name && network, accuracy?.text].filter(Boolean).join(" · ");
