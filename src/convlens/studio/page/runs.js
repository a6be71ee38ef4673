/* Runs: the trainings of the workspace, kept fresh for as long as a room shows them. */

import { useEffect } from "preact/hooks";
import { call, Gone } from "./api.js";
import { onChange, onProgress } from "./project.js";
import { sayError } from "./say.js";
import { createStore, useStore } from "./store.js";

export const runs = createStore(null); // null until they are loaded; the newest first

export async function loadRuns() {
  try {
    runs.set((await call("/api/runs")).runs);
  } catch (error) {
    if (!(error instanceof Gone)) sayError(error);
  }
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
