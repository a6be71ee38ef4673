/* Say: short messages that everybody sees and hears, and errors that stay until they are closed. */

import { createStore } from "./store.js";
import { Gone } from "./api.js";

export const messages = createStore([]);
let number = 0;

/* Show a message for a while. It offers to take a change back if `undo` is the version that
   the change has led to, for as long as there is no newer one. */
export function say(text, { undo = 0 } = {}) {
  const one = { number: ++number, text, undo, kind: "done" };
  messages.set([...messages.get().filter((shown) => shown.kind !== "done"), one]);
}

/* Show what went wrong. A server that is gone, or knows no token, has a banner of its own. */
export function sayError(error) {
  if (error instanceof Gone || error.status === 401 || error.name === "AbortError") return;
  const one = { number: ++number, text: error.message, undo: 0, kind: "error" };
  messages.set([...messages.get().filter((shown) => shown.text !== one.text), one]);
}

export function close(closed) {
  messages.set(messages.get().filter((shown) => shown.number !== closed));
}
