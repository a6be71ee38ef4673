/* Reveal: go to one image of the grid, with its details, as other rooms ask for it. */

import { say } from "../say.js";
import { t } from "../words.js";
import { openDetails } from "./details.js";
import { clearFilters, list } from "./list.js";
import { choose } from "./selection.js";
import { pane, tool } from "./tool.js";

export async function reveal(id) {
  tool.set(null);
  pane.set("images");
  await clearFilters();
  const place = list.get().places.get(id);
  if (place === undefined) {
    say(t("image_gone"));
    return;
  }
  choose(place);
  openDetails();
  // The keys of the grid change the class of the image.
  requestAnimationFrame(() => document.querySelector(".grid")?.focus());
}
