/* Asking: one request after the other, so that answers come in the order of what was done. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api.js";
import { sayError } from "../say.js";

/* Return a function that asks for a path, and how many of its requests wait.

   With `latest`, a request that has not begun yet is replaced by a newer one, as is right for what
   follows a hand that drags. */
export function useQueue(path, { latest = false } = {}) {
  const queue = useRef([]);
  const [waiting, setWaiting] = useState(0);
  const alive = useRef(true);
  useEffect(() => () => {
    alive.current = false;
  }, []);
  const run = async () => {
    while (queue.current.length && alive.current) {
      const { json, take } = queue.current[0];
      try {
        const said = await call(path, { json: typeof json === "function" ? json() : json });
        if (alive.current) take(said);
      } catch (error) {
        sayError(error);
      }
      queue.current.shift();
      if (alive.current) setWaiting(queue.current.length);
    }
  };
  const ask = (json, take) => {
    if (latest && queue.current.length > 1) queue.current.pop();
    queue.current.push({ json, take });
    setWaiting(queue.current.length);
    if (queue.current.length === 1) run();
  };
  return [ask, waiting];
}
