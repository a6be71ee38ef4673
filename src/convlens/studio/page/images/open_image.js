/* Open image: show one image among all others, wherever somebody has clicked on it. */

import { openDetails } from "./details.js";
import { clearFilters, list } from "./list.js";
import { choose } from "./selection.js";

export async function openImage(id) {
  if (!list.get().places.has(id)) await clearFilters();
  const index = list.get().places.get(id);
  if (index === undefined) return;
  choose(index);
  openDetails();
}
