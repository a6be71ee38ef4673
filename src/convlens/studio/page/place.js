/* Place: which room is shown, and what in it, as the end of the address says.

   An address such as /#room=scores&run=pets-2 opens the same place again. */

import { createStore } from "./store.js";

export const place = createStore(read());

function read() {
  const { token, ...fields } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return { room: "images", ...fields };
}

/* Go to a room, with fields that say what it shows; the button Back leads back. */
export function go(room, fields = {}) {
  location.hash = new URLSearchParams({ room, ...fields });
}

/* Change what the room shows, without a step for the button Back. */
export function show(fields) {
  const next = { ...place.get(), ...fields };
  history.replaceState(null, "", `#${new URLSearchParams(next)}`);
  place.set(next);
}

addEventListener("hashchange", () => place.set(read()));
