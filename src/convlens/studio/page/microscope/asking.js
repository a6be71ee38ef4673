/* Asking: one request after the other, so that answers come in the order of what was done. */

import { call } from "../api.js";
import { sayError } from "../say.js";

/* Return a function that asks for a path, also after the room was left.

   With `latest`, a request that has not begun yet is replaced by a newer one, as is right for what
   follows a hand that drags. */
export function createQueue(path, { latest = false } = {}) {
  const queue = [];
  const run = async () => {
    while (queue.length) {
      const { json, take } = queue[0];
      try {
        take(await call(path, { json: typeof json === "function" ? json() : json }));
      } catch (error) {
        sayError(error);
      }
      queue.shift();
    }
  };
  return (json, take) => {
    if (latest && queue.length > 1) queue.pop();
    queue.push({ json, take });
    if (queue.length === 1) run();
  };
}
