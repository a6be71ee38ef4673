/* Ship: what the server knows of exports, the server and the page for phones, kept fresh. */

import { useEffect } from "preact/hooks";
import { call, Gone } from "../api.js";
import { onChange, oneByOne, onProgress } from "../project.js";
import { sayError } from "../say.js";
import { createStore, useStore } from "../store.js";

const PAUSE = 2000; // milliseconds between two looks at the requests of the server

export const ship = createStore(null); // the answer of /api/ship

const loadShip = oneByOne(async () => {
  try {
    ship.set(await call("/api/ship"));
  } catch (error) {
    if (!(error instanceof Gone)) sayError(error);
  }
});

/* Return all that the room shows; null until it is loaded. */
export function useShip() {
  useEffect(() => {
    loadShip();
    const leave = [onChange(loadShip), onProgress(loadShip)];
    return () => leave.forEach((end) => end());
  }, []);
  return useStore(ship);
}

/* Look again and again how many requests the server has answered, for as long as it runs. */
export function useServing(isRunning) {
  useEffect(() => {
    if (!isRunning) return undefined;
    const look = async () => {
      if (document.hidden) return;
      const before = ship.get();
      try {
        const serving = await call("/api/ship/serving");
        if (ship.get() === before) ship.change({ serving }); // or else all of it is newer
      } catch (error) {
        if (!(error instanceof Gone)) sayError(error);
      }
    };
    const timer = setInterval(look, PAUSE);
    return () => clearInterval(timer);
  }, [isRunning]);
}

/* Ask for something, and load what it has changed. Return the answer, or the error. */
export async function ask(path, { method = "POST", json } = {}) {
  try {
    const answer = await call(path, { method, json });
    await loadShip();
    return { answer };
  } catch (error) {
    if (error instanceof Gone || error.status === 401) return { problem: "" };
    await loadShip();
    return { problem: error.message };
  }
}

/* Do so, and say on top of the page what is wrong. */
export async function askAloud(path, request) {
  const { problem } = await ask(path, request);
  if (problem) sayError(new Error(problem));
}

/* Let the browser save an archive. Return what is wrong, or nothing. */
export async function download(path) {
  try {
    const { url } = await call(path, { method: "POST" });
    const link = document.createElement("a");
    link.href = url;
    link.download = "";
    link.click();
    return "";
  } catch (error) {
    return error instanceof Gone ? "" : error.message;
  }
}
