/* Selection: which images are chosen, and the one that the keyboard is at. */

import { createStore } from "../store.js";
import { list } from "./list.js";

/* ids: the chosen images; active: the id of the one that the keyboard is at, and index its place,
   which stays when the image goes; anchor: the index from which shift selects. */
export const selection = createStore({ ids: new Set(), active: null, index: 0, anchor: 0 });

const idAt = (index) => list.get().rows[index]?.id;

function idsBetween(one, other) {
  const first = Math.min(one, other);
  const last = Math.max(one, other);
  return list.get().rows.slice(first, last + 1).filter(Boolean).map(({ id }) => id);
}

/* Select one image as a click does; `toggle` is for the key Ctrl, `range` for Shift. */
export function choose(index, { toggle = false, range = false } = {}) {
  const id = idAt(index);
  if (id === undefined) return;
  const now = selection.get();
  if (range) {
    const between = idsBetween(now.anchor, index);
    const ids = new Set(toggle ? [...now.ids, ...between] : between);
    selection.set({ ids, active: id, index, anchor: now.anchor });
    return;
  }
  const ids = new Set(toggle ? now.ids : []);
  if (toggle && ids.has(id)) ids.delete(id);
  else ids.add(id);
  selection.set({ ids, active: id, index, anchor: index });
}

/* Move the keyboard to an image; it is selected unless `keep` says that the selection stays. */
export function moveTo(index, { range = false, keep = false } = {}) {
  const { total } = list.get();
  if (!total) return;
  const place = Math.max(0, Math.min(total - 1, index));
  if (keep) selection.change({ active: idAt(place) ?? null, index: place });
  else choose(place, { range });
}

export function chooseAll() {
  const ids = list.get().rows.filter(Boolean).map(({ id }) => id);
  selection.change({ ids: new Set(ids) });
}

export function clearSelection() {
  if (selection.get().ids.size) selection.change({ ids: new Set() });
}

export function setSelected(ids) {
  selection.change({ ids: new Set(ids) });
}

// Images that the list no longer shows are not selected; the keyboard stays at its place.
list.follow(({ rows, total, places }) => {
  const now = selection.get();
  const isWhole = !rows.includes(undefined);
  const ids = isWhole ? new Set([...now.ids].filter((id) => places.has(id))) : now.ids;
  const index = places.get(now.active) ?? Math.max(0, Math.min(now.index, total - 1));
  selection.set({ ids, active: rows[index]?.id ?? null, index, anchor: Math.min(now.anchor, index) });
});
