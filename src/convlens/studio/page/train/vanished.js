/* Vanished: runs that were shown and whose folders are gone, so that none goes without a word. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { IconButton } from "../parts.js";
import { go } from "../place.js";
import { t } from "../words.js";

const seen = new Set(); // names of runs that had a folder

export function Vanished({ run, rows }) {
  const [, again] = useState(0);
  for (const row of rows) if (row.found) seen.add(row.run);
  const isThere = (name) => rows.some((row) => row.run === name);
  const gone = [...new Set([...seen, ...(run ? [run] : [])])].filter((name) => !isThere(name));
  if (!gone.length) return null;
  const close = () => {
    gone.forEach((name) => seen.delete(name));
    if (gone.includes(run)) go("train");
    else again((times) => times + 1);
  };
  return html`
    <div class="vanished" role="status">
      <${Icon} name="warning" />
      <ul>${gone.map((name) => html`<li>${t("train_vanished", { run: name })}</li>`)}</ul>
      <${IconButton} icon="close" label=${t("close")} onClick=${close} />
    </div>
  `;
}
