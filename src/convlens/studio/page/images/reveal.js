/* Reveal: go to one image of the grid, with its details, as other rooms ask for it. */

import { place } from "../place.js";
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
  const { room, image } = place.get();
  if (room !== "images" || image !== id) return; // somebody has gone on meanwhile
  const index = list.get().places.get(id);
  if (index === undefined) {
    say(t("image_gone"));
    return;
  }
  choose(index);
  openDetails();
  // The keys of the grid change the class of the image.
  requestAnimationFrame(() => document.querySelector(".grid")?.focus());
}
