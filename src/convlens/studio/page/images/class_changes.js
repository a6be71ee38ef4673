/* Class changes: classes are made and renamed; what is wrong with a name is said at its field. */

import { call, Gone } from "../api.js";
import { refresh } from "../project.js";
import { say } from "../say.js";
import { t } from "../words.js";

/* Make a class. Return a line that says what is wrong with its name, or nothing. */
export async function addClass(name, then = () => undefined) {
  try {
    const answer = await call("/api/classes", { json: { name } });
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
    await call(`/api/classes/${id}`, { method: "PATCH", json: { name } });
    await refresh();
    return "";
  } catch (error) {
    return error instanceof Gone ? t("not_done_gone") : error.message;
  }
}
