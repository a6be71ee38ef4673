/* Tool: what makes new images at present (the webcam or the drawing board), and for which class. */

import { project } from "../project.js";
import { createStore } from "../store.js";

/* null, or the kind ("webcam" or "draw") and the id of the class that gets the images. */
export const tool = createStore(null);

/* Which part a narrow window shows: "classes", "images" or "check". */
export const pane = createStore("images");

export function openTool(kind, classId) {
  tool.set({ kind, class: classId });
  pane.set("images");
}

export function closeTool() {
  tool.set(null);
}

// A class that was removed, here or in another tab, takes no more images; nor does another one.
project.follow((state) => {
  const open = tool.get();
  if (open && !state.classes.some(({ id }) => id === open.class)) closeTool();
});
