/* Place: which room is shown, and what in it, as the end of the address says.

   An address such as /#room=scores&run=pets-2 opens the same place again. */

import { createStore } from "./store.js";

export const place = createStore(read());
const left = new Map(); // what each room has shown last

place.follow(({ room, ...fields }) => left.set(room, fields));

function read() {
  const { token, ...fields } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return { room: "images", ...fields };
}

/* Go to a room, with fields that say what it shows; the button Back leads back. */
export function go(room, fields = {}) {
  location.hash = new URLSearchParams({ room, ...fields });
}

/* Go back to a room, which shows what it showed when it was left. */
export function goBack(room) {
  go(room, left.get(room));
}

/* Change what the room shows, without a step for the button Back; a field that is null is removed. */
export function show(fields) {
  const all = Object.entries({ ...place.get(), ...fields });
  const next = Object.fromEntries(all.filter(([, value]) => value !== null));
  history.replaceState(null, "", `#${new URLSearchParams(next)}`);
  place.set(next);
}

/* Do so in a room if that is still the one that is shown, as after an answer that was long awaited. */
export function showIn(room, fields) {
  if (place.get().room === room) show(fields);
}

addEventListener("hashchange", () => place.set(read()));
