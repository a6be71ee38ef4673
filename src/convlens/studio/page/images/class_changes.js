/* Class changes: classes are made and renamed; what is wrong with a name is said at its field. */

import { call, Gone } from "../api.js";
import { inTurn, project, refresh } from "../project.js";
import { redirect } from "../queue.js";
import { say } from "../say.js";
import { createStore } from "../store.js";
import { t } from "../words.js";
import { filters } from "./list.js";
import { tool } from "./tool.js";

/* The class whose card gets the focus once the field for its name has gone, or null. */
export const named = createStore(null);

/* Make a class. Return a line that says what is wrong with its name, or nothing. */
export async function addClass(name, then = () => undefined) {
  try {
    const answer = await inTurn(() => call("/api/classes", { json: { name } }));
    await refresh();
    say(t("did_add_class", { name: answer.class.name }));
    then(answer.class.id);
    return "";
  } catch (error) {
    return error instanceof Gone ? t("not_done_gone") : error.message;
  }
}

/* Give a class another name; return as above. */
export async function renameClass(id, name) {
  try {
    const request = { method: "PATCH", json: { name } };
    const answer = await inTurn(() => call(`/api/classes/${id}`, request));
    renamed(id, answer.class, answer.version);
    await refresh();
    return "";
  } catch (error) {
    return error instanceof Gone ? t("not_done_gone") : error.message;
  }
}

/* The id of a class follows its name; what waits for it goes on. A state that was asked for before
   has the former id. */
function renamed(from, to, version) {
  named.set(to.id);
  redirect(from, to.id);
  if (tool.get()?.class === from) tool.change({ class: to.id });
  if (filters.get().class === from) filters.change({ class: to.id });
  const { classes } = project.get();
  project.change({ classes: classes.map((one) => (one.id === from ? to : one)), version });
}
