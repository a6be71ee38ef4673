/* Actions: what is done with images. Every one of them can be undone. */

import { change, classOf, refresh } from "../project.js";
import { say } from "../say.js";
import { count } from "../words.js";
import { patch } from "./list.js";

export async function relabel(ids, classId) {
  if (!ids.length) return;
  patch(ids, () => ({ label: classId, excluded: 0 }));
  const name = classOf(classId).name;
  await act("/api/relabel", { images: ids, class: classId }, "did_relabel", { name });
}

export async function exclude(ids) {
  if (!ids.length) return;
  patch(ids, () => ({ excluded: 1 }));
  await act("/api/exclude", { images: ids }, "did_exclude");
}

export async function restore(ids) {
  if (!ids.length) return;
  patch(ids, ({ given }) => ({ label: given, excluded: 0 }));
  await act("/api/restore", { images: ids }, "did_restore");
}

export async function remove(ids) {
  if (ids.length) await act("/api/remove", { images: ids }, "did_remove");
}

async function act(path, json, done, fields = {}) {
  const answer = await change(path, { json });
  if (answer) say(count(done, answer.changed ?? json.images.length, fields), { undo: answer.version });
  else refresh(); // what was shown at once was not done
}
