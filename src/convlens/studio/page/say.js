/* Say: short messages that everybody sees and hears, and errors that stay until they are closed. */

import { createStore } from "./store.js";
import { Gone } from "./api.js";

const SECONDS = 6;

export const messages = createStore([]);
let number = 0;

/* Show a message for some seconds; `undo` offers to take the change back. */
export function say(text, { undo = false } = {}) {
  const one = { number: ++number, text, undo, kind: "done" };
  messages.set([...messages.get().filter((shown) => shown.kind !== "done"), one]);
  setTimeout(() => close(one.number), 1000 * SECONDS);
}

/* Show what went wrong. A server that is gone, or knows no token, has a banner of its own. */
export function sayError(error) {
  if (error instanceof Gone || error.status === 401 || error.name === "AbortError") return;
  const one = { number: ++number, text: error.message, undo: false, kind: "error" };
  messages.set([...messages.get().filter((shown) => shown.text !== one.text), one]);
}

export function close(closed) {
  messages.set(messages.get().filter((shown) => shown.number !== closed));
}
