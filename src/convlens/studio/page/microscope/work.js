/* Work: what takes the server a while, how far it is, and its end. */

import { useEffect, useState } from "preact/hooks";
import { call, connection, Gone } from "../api.js";
import { oneByOne, onProgress } from "../project.js";
import { sayError } from "../say.js";
import { createStore, useStore } from "../store.js";

const status = createStore({ state: "idle" }); // what the process of the microscope does

const look = oneByOne(async () => {
  try {
    status.set(await call("/api/microscope"));
  } catch (error) {
    sayError(error);
  }
});

export function useStatus() {
  useEffect(() => {
    look();
    return onProgress(look);
  }, []);
  return useStore(status);
}

export const stopWork = () => call("/api/microscope", { method: "DELETE" }).catch(() => {});

const pending = new Map(); // requests that are under way

/* Ask for something that takes a while. Whoever asks for it again meanwhile, as somebody does who
   leaves the room and comes back, waits for the same answer. */
function ask(key, path, json) {
  if (!pending.has(key)) {
    pending.set(key, call(path, { json }).finally(() => pending.delete(key)));
  }
  return pending.get(key);
}

/* Return what the server answers to a request, or the problem; null as long as it is at work.

   It is asked again if the request is another one, if `again` is called, or if the server has come
   back. A request that is null is not sent. */
export function useWork(path, json) {
  const { times } = useStore(connection);
  const [tries, setTries] = useState(0);
  const [found, setFound] = useState(null);
  const key = JSON.stringify([path, json]);
  useEffect(() => {
    setFound(null);
    if (!json) return undefined;
    let gone = false;
    ask(key, path, json)
      .then((answer) => gone || setFound({ key, answer }))
      .catch((error) => {
        if (!gone && !(error instanceof Gone)) setFound({ key, problem: error.message });
      });
    return () => {
      gone = true;
    };
  }, [key, tries, times]);
  const again = () => setTries((now) => now + 1);
  // An answer to an earlier request is not shown as that of this one.
  return found?.key === key ? { ...found, again } : { again };
}
