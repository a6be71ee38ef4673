/* Trainings: the queue as the server has it, and the run that is shown, kept fresh. */

import { useEffect, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { place, showIn } from "../place.js";
import { onChange, oneByOne, onProgress } from "../project.js";
import { say, sayError } from "../say.js";
import { createStore, useStore } from "../store.js";
import { language, t } from "../words.js";

export const trainings = createStore(null); // the answer of /api/trainings, and when it came

export const loadTrainings = oneByOne(async () => {
  const before = trainings.get();
  try {
    const answer = await call("/api/trainings");
    if (trainings.get() === before) keep(answer);
    else loadTrainings(); // a change has been answered meanwhile; this answer may be older
  } catch (error) {
    if (!(error instanceof Gone)) sayError(error);
  }
});

const keep = (answer) => trainings.set({ ...answer, at: Date.now() });

export function useTrainings() {
  useEffect(() => {
    loadTrainings();
    const leave = [
      onChange(loadTrainings),
      onProgress(loadTrainings),
      language.follow(loadTrainings),
    ];
    return () => leave.forEach((end) => end());
  }, []);
  return useStore(trainings);
}

/* Ask for a change of the queue; return the answer, or null if it was refused. */
export async function act(path, request = {}) {
  const before = trainings.get();
  try {
    const answer = await call(`/api/trainings${path}`, { method: "POST", ...request });
    if (trainings.get() === before) keep(answer);
    else await loadTrainings(); // another answer has come meanwhile, which may be newer
    return answer;
  } catch (error) {
    if (error instanceof Gone) say(t("not_done_gone"));
    else sayError(error);
    if (error.status === 409 || error.status === 404) loadTrainings();
    return null;
  }
}

/* Take a training out of the list. One that is shown is not shown any more, and not missed either. */
export async function removeTraining({ id, run }) {
  if (place.get().run === run) showIn("train", { run: null });
  try {
    await call(`/api/trainings/${id}`, { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) sayError(error); // then it is out of the list already
  }
  loadTrainings();
}

/* Return what the curves of a run are drawn from; null until it is there. */
export function useNow(run) {
  const [now, setNow] = useState(null);
  useEffect(() => {
    if (!run) return undefined;
    let isShown = true;
    const load = oneByOne(async () => {
      try {
        const found = await call(`/api/trainings/runs/${encodeURIComponent(run)}/now`);
        if (isShown) setNow(found);
      } catch (error) {
        // A training that has just begun has no folder yet, and one may be removed meanwhile.
        if (isShown && error.status === 404) setNow({ run, history: [], live: null, report: {} });
      }
    });
    load();
    const leave = [onProgress(load), onChange(load), language.follow(load)];
    return () => {
      isShown = false;
      leave.forEach((end) => end());
    };
  }, [run]);
  return now?.run === run ? now : null;
}

/* Return the seconds that have passed since something came from the server. */
export function useSecondsSince(at) {
  const [, tick] = useState(0);
  useEffect(() => {
    const clock = setInterval(() => tick((times) => times + 1), 1000);
    return () => clearInterval(clock);
  }, []);
  return (Date.now() - at) / 1000;
}
