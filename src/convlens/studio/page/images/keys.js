/* Keys: what the keyboard does in the grid. */

import { project } from "../project.js";
import { exclude, relabel, restore } from "./actions.js";
import { openDetails } from "./details.js";
import { list } from "./list.js";
import { choose, chooseAll, clearSelection, moveTo, selection } from "./selection.js";

/* Do what a key says. `columns` and `page` (rows) are those of the grid. */
export function onGridKey(event, columns, page) {
  if (event.altKey) return;
  const acted = event.ctrlKey || event.metaKey ? withControl(event) : plain(event, columns, page);
  if (acted) event.preventDefault();
}

function withControl(event) {
  if (event.key.toLowerCase() === "a") {
    chooseAll();
    return true;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) moveTo(selection.get().index + step, { keep: true });
  return Boolean(step);
}

function plain(event, columns, page) {
  const { index, ids } = selection.get();
  const chosen = [...ids];
  const { total } = list.get();
  const to = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index - columns >= 0 ? index - columns : index,
    ArrowDown: index + columns < total ? index + columns : total - 1,
    PageUp: index - columns * page,
    PageDown: index + columns * page,
    Home: 0,
    End: total - 1,
  }[event.key];
  if (to !== undefined) {
    moveTo(to, { range: event.shiftKey });
    return true;
  }
  if (/^[1-9]$/.test(event.key)) {
    const chosenClass = project.get().classes[Number(event.key) - 1];
    if (chosenClass && !event.repeat) relabel(chosen, chosenClass.id);
    return Boolean(chosenClass);
  }
  const act = {
    " ": () => choose(index, { toggle: true }),
    Enter: openDetails,
    Escape: clearSelection,
    Delete: () => exclude(chosen),
    x: () => exclude(chosen),
    r: () => restore(chosen),
  }[event.key];
  if (!event.repeat) act?.(); // a key that is held does its work once
  return Boolean(act);
}
